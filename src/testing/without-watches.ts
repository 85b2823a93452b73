/** Runs a script as a user who may watch no file, as when somebody else has used up all watches. */
import { spawnSync } from 'node:child_process';

/** How many files a user may watch in the user namespace that a process is in. */
const limit = '/proc/sys/user/max_inotify_watches';

/** Nothing that is run so takes nearly as long. */
const WITHIN_MS = 60_000;

/** Whether this machine lets us make such a user. */
export const canForbidWatches =
  spawnSync('unshare', ['--user', '--map-root-user', 'test', '-w', limit]).status === 0;

/** What a TypeScript module has printed. */
export function outputWithoutWatches(script: string): string {
  const shell = ['sh', '-c', `echo 0 > ${limit}; exec "$@"`, 'sh'];
  const node = [process.execPath, '--input-type=module-typescript', '--eval', script];
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    ['--user', '--map-root-user', ...shell, ...node],
    { encoding: 'utf8', timeout: WITHIN_MS },
  );
  if (status !== 0) throw new Error(`ended with ${status}: ${stderr}`);
  return stdout;
}
