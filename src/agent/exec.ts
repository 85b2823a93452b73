/** A process that somebody runs in a container of a pod, for as long as he is there. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { ExecRequest, ExecSession } from '../api/backend.ts';
import { ConflictError, RepriseError } from '../errors.ts';
import { makeNamedPipes } from '../host/named-pipes.ts';
import { podKey } from '../pod/pod.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import type { Means } from './means.ts';
import type { Picture, Worker } from './worker.ts';

/** Where the pipes of such processes are; none outlives the agent. */
export function execFolder(dataDir: string): string {
  return path.join(dataDir, 'exec');
}

/** Throws ConflictError if the container does not run. */
export async function execInContainer(
  { addProcess, lending }: Pick<Means, 'addProcess' | 'lending'>,
  { pod, picture }: Pick<Worker, 'pod' | 'picture'>,
  { container, command, tty, stdin }: ExecRequest,
  signal: AbortSignal,
): Promise<ExecSession> {
  const containerId = runningIdOf(picture, container);
  if (containerId === undefined) {
    throw new ConflictError(`container "${container}" does not run`, {
      where: `pod ${podKey(pod)}`,
      next: `look at its state: reprise describe pod ${pod.metadata.name}`,
    });
  }
  await using stack = new AsyncDisposableStack();
  const id = randomUUID();
  const pipes = stack.use(await makeNamedPipes(path.join(execFolder(lending.dataDir), id)));
  const { paths } = pipes;
  const wanted = {
    stdout: paths.stdout,
    ...(stdin && { stdin: paths.stdin }),
    ...(!tty && { stderr: paths.stderr }),
  };
  const request = { containerId, id, command, tty, pipes: wanted };
  const process = await addProcess(request, signal).catch((error: unknown) => {
    throw notStarted(error, `pod ${podKey(pod)}, container "${container}"`);
  });
  pipes.release();
  const over = new AbortController();
  const exited = process.exited(over.signal);
  // Whoever waits for it is told; nobody has to.
  exited.catch(() => undefined);
  stack.defer(async () => {
    await process.kill();
    await exited.catch(() => undefined);
    over.abort();
    await process.remove();
  });
  const life = stack.move();
  return {
    input: stdin ? pipes.stdin : undefined,
    output: pipes.stdout,
    errors: tty ? undefined : pipes.stderr,
    closeInput: () => process.closeInput(),
    resize: (size) => process.resize(size),
    exited,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** In the runtime's words, which name the program. */
function notStarted(error: unknown, where: string): unknown {
  if (!(error instanceof RuntimeCallError)) return error;
  return new RepriseError(`the command could not be started: ${error.details}`, {
    where,
    next: 'check that the image has this program, and that the container still runs',
    cause: error,
  });
}

/** The id of the instance that the pod's status shows as running. */
function runningIdOf({ observed }: Picture, name: string): string | undefined {
  return observed.instances
    .filter((one) => one.name === name && one.state === 'running' && one.exit === undefined)
    .toSorted((a, b) => b.attempt - a.attempt)
    .at(0)?.id;
}
