/**
 * Objects as YAML, loaded only by those who ask for it.
 */

/** One YAML document. */
export async function toYaml(value: object): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
