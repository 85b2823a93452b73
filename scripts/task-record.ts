/**
 * Records when containers start and exit, from containerd's own events and by its own clock.
 *
 * An observer of its own beside the agent, so that what it measures is not the agent's word.
 */
import { execa } from 'execa';
import type { PrivateContainerd } from './private-containerd/start.ts';

/** A container's process began or ended. */
export interface TaskEvent {
  readonly kind: 'start' | 'exit';
  readonly containerId: string;
  /** Milliseconds since 1970, with a fraction. */
  readonly at: number;
  /** Of an exit. */
  readonly exitCode?: number;
}

/** What has been recorded; ends the recording when it goes out of scope. */
export interface TaskRecord extends AsyncDisposable {
  readonly events: readonly TaskEvent[];
}

/** Starts recording. */
export function recordTasks({ ctrCommand }: Pick<PrivateContainerd, 'ctrCommand'>): TaskRecord {
  const [program, ...args] = ctrCommand;
  // Detached: Ctrl-C in the terminal is ours to handle, in our order.
  const run = execa(program, [...args, 'events'], {
    detached: true,
    stdin: 'ignore',
    reject: false,
  });
  const events: TaskEvent[] = [];
  const reading = (async () => {
    for await (const line of run) {
      const event = readEvent(line);
      if (event) events.push(event);
    }
  })();
  return {
    events,
    [Symbol.asyncDispose]: async () => {
      run.kill('SIGTERM');
      await reading;
    },
  };
}

/** One line of `ctr events`: time as Go prints it, namespace, topic, content as JSON. */
export function readEvent(line: string): TaskEvent | undefined {
  const match = /^(\S+) (\d\d:\d\d:\d\d)(\.\d+)? \+0000 UTC \S+ \/tasks\/(start|exit) (.*)$/.exec(
    line,
  );
  if (!match) return undefined;
  const [, day = '', time = '', fraction = '0', kind, json = ''] = match;
  const content = JSON.parse(json) as { container_id?: string; id?: string; exit_status?: number };
  // An exec's exit comes with an id of its own.
  if (
    content.container_id === undefined ||
    (content.id ?? content.container_id) !== content.container_id
  ) {
    return undefined;
  }
  const at = Date.parse(`${day}T${time}Z`) + Number(fraction) * 1000;
  return kind === 'exit'
    ? { kind, containerId: content.container_id, at, exitCode: content.exit_status ?? 0 }
    : { kind: 'start', containerId: content.container_id, at };
}
