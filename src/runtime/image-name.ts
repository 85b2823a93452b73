/**
 * Image names as the distribution format defines them: `[registry/]path[:tag][@digest]`.
 */

const domainPart = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domain = `(?:${domainPart}(?:\\.${domainPart})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?`;
const pathPart = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const tag = '[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}';
const digestPart = '[A-Za-z][A-Za-z0-9]*';
const digest = `${digestPart}(?:[-_+.]${digestPart})*:[0-9a-fA-F]{32,}`;
const grammar = new RegExp(
  `^(?<name>(?:${domain}/)?${pathPart}(?:/${pathPart})*)(?::(?<tag>${tag}))?(?:@(?<digest>${digest}))?$`,
);

const maxNameLength = 255;

/** The name with `:latest` where it says neither tag nor digest; `undefined` if it is no image name. */
export function fullImageName(image: string): string | undefined {
  const parts = grammar.exec(image)?.groups;
  const name = parts?.['name'];
  if (parts === undefined || name === undefined || name.length > maxNameLength) return undefined;
  // Docker's old way to write an image id; there is no registry to ask for one.
  if (/^[0-9a-f]{64}$/.test(image)) return undefined;
  return parts['tag'] === undefined && parts['digest'] === undefined ? `${image}:latest` : image;
}

/** Host and path of an image without tag and digest, written out: `docker.io/library/busybox`. */
export function repositoryOf(image: string): string {
  const name = grammar.exec(image)?.groups?.['name'] ?? image;
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  // Docker takes what looks like no host for a name on its own registry.
  const hasHost = /[.:A-Z]/.test(first) || first === 'localhost';
  if (!hasHost) return `docker.io/${slash < 0 ? 'library/' : ''}${name}`;
  const rest = name.slice(slash + 1);
  if (first !== 'docker.io' && first !== 'index.docker.io') return name;
  return `docker.io/${rest.includes('/') ? '' : 'library/'}${rest}`;
}
