/**
 * Objects as YAML, loaded only by those who ask for it.
 */

/** One YAML document; what older readers would take for a time or a boolean is quoted. */
export async function toYaml(value: object): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, version: '1.1' });
}
