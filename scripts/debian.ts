/**
 * Where this machine gets Debian packages from, for scripts that fetch some without installing them.
 */
import { execa } from 'execa';

/** Keys of all Debian releases, as the package debian-archive-keyring brings them. */
export const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The mirror that apt of this machine is set to, so that it need not be told twice; else Debian's. */
export async function debianMirror(): Promise<string> {
  const { stdout } = await execa('apt-get', [
    'indextargets',
    ...['--format', '$(REPO_URI)'],
    ...['Created-By: Packages', 'Origin: Debian', 'Label: Debian'],
  ]);
  // Nothing is printed where apt is set to no Debian (but Ubuntu, say), or has never been updated.
  return stdout.split('\n').find((line) => line !== '') ?? 'http://deb.debian.org/debian/';
}
