/**
 * Why a pod has failed: which container, with which code, and its last words.
 */
import { text as readAll } from 'node:stream/consumers';
import { messageOf } from '../errors.ts';
import type { Client } from '../api/client.ts';
import type { V1ContainerStatus, V1Pod } from '../pod/pod-status.ts';
import { noteLine, printLine, visible } from './output.ts';
import { statusesOf } from './story.ts';

const lastLines = 10;

/** Says it on standard error, or as a JSON line on standard output. */
export async function explainFailure(
  client: Client,
  pod: V1Pod,
  { json }: { json: boolean },
  signal: AbortSignal,
): Promise<void> {
  for (const status of failedContainers(pod)) {
    const { name, state } = status;
    const { exitCode, reason, message } = state.terminated ?? {};
    const log = await lastWords(client, pod, name, signal);
    if (json) {
      const time = new Date().toISOString();
      printLine(
        JSON.stringify({ time, container: name, what: 'failure', exitCode, reason, message, log }),
      );
      continue;
    }
    noteLine(`container ${name} has failed: exit code ${exitCode ?? '?'} (${reason ?? 'Error'})`);
    if (message) noteLine(`  ${visible(message)}`);
    noteLine(log.length === 0 ? `  its log is empty` : `  the end of its log:`);
    for (const line of log) noteLine(`    ${visible(line)}`);
  }
}

/** The containers to blame: those that ended badly by themselves, or else all that ended badly. */
export function failedContainers(pod: V1Pod): readonly V1ContainerStatus[] {
  const sidecars = new Set(
    (pod.spec.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === 'Always')
      .map(({ name }) => name),
  );
  // A sidecar's code does not count: it is ended when the others are done.
  const failed = statusesOf(pod).filter(
    ({ name, state }) => !sidecars.has(name) && (state.terminated?.exitCode ?? 0) !== 0,
  );
  const themselves = failed.filter(({ state }) => !isKilledByUs(state.terminated?.reason));
  return themselves.length > 0 ? themselves : failed;
}

function isKilledByUs(reason: string | undefined): boolean {
  return reason === 'RestartingAllContainers' || reason === 'ContainerStatusUnknown';
}

async function lastWords(
  client: Client,
  { metadata: { namespace, name } }: V1Pod,
  container: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const query = { container, tailLines: lastLines };
    const text = await readAll(await client.readLog(namespace, name, query, signal));
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    // The failure itself must be told even where the log is not there.
    return [`(no log: ${messageOf(error)})`];
  }
}
