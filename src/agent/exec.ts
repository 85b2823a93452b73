/** A process that somebody runs in a container of a pod, for as long as he is there. */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { ExecRequest, ExecSession } from '../api/backend.ts';
import { ConflictError, RepriseError } from '../errors.ts';
import { makeNamedPipes } from '../host/named-pipes.ts';
import { podKey } from '../pod/pod.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import type { Processes } from '../runtime/added-process.ts';
import type { Means } from './means.ts';
import type { Picture, Worker } from './worker.ts';

/** Where the pipes of such processes are, each in a folder that names container and process. */
function execFolder(dataDir: string): string {
  return path.join(dataDir, 'exec');
}

/** Throws ConflictError if the container does not run. */
export async function execInContainer(
  { processes, lending }: Pick<Means, 'processes' | 'lending'>,
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
  const folder = path.join(execFolder(lending.dataDir), `${containerId}.${id}`);
  const pipes = stack.use(await makeNamedPipes(folder));
  const { paths } = pipes;
  const wanted = {
    stdout: paths.stdout,
    ...(stdin && { stdin: paths.stdin }),
    ...(!tty && { stderr: paths.stderr }),
  };
  const request = { containerId, id, command, tty, pipes: wanted };
  const process = await processes.add(request, signal).catch((error: unknown) => {
    throw notStarted(error, `pod ${podKey(pod)}, container "${container}"`);
  });
  pipes.release();
  const over = new AbortController();
  const exited = process.exited(over.signal);
  // Whoever waits for it is told; nobody has to.
  exited.catch(() => undefined);
  stack.defer(() => over.abort());
  stack.defer(() => processes.end(containerId, id));
  // The shim keeps an input that was never closed for as long as the container lives.
  if (stdin) stack.defer(() => process.closeInput().catch(() => undefined));
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

/** The folders of commands whose agent was killed; to be looked for before there are others. */
export function leftCommands(dataDir: string): readonly string[] {
  const folder = execFolder(dataDir);
  return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];
}

/** Ends such commands; what cannot be ended is left to the next agent. */
export async function endCommands(
  folders: readonly string[],
  processes: Processes,
  report: (error: unknown) => void,
): Promise<void> {
  for (const folder of folders) {
    const [containerId = '', id = ''] = path.basename(folder).split('.');
    try {
      await processes.end(containerId, id);
      await fs.promises.rm(folder, { recursive: true, force: true });
    } catch (error) {
      report(error);
    }
  }
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
