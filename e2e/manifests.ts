/**
 * Pods that do as they are told. Each container writes what it does into the shared volume's
 * `story`, and obeys files there: `exit-<name>` (a code) ends it.
 */
import { napping } from './pace.ts';

export const image = 'localhost/reprise/busybox:1';

/** A manifest as far as tests vary it. */
export interface ManifestOf {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface ContainerOf {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** Tells the story, then waits to be told to end. */
export const obeys = `
trap 'exit 143' TERM
echo "$NAME started" >> /shared/story
${napping}
while [ ! -e /shared/exit-$NAME ]; do nap; done
code=$(cat /shared/exit-$NAME); rm /shared/exit-$NAME
echo "$NAME ends with $code" >> /shared/story
exit $code
`;

/** Tells the story and ends, with the code that \`code-<name>\` holds, or 0. */
const ends = `
echo "$NAME started" >> /shared/story
exit $(cat /shared/code-$NAME 2>/dev/null || echo 0)
`;

/** A container that runs a script of busybox's shell. */
export function container(
  name: string,
  script: string = obeys,
  more: Record<string, unknown> = {},
): ContainerOf {
  return {
    name,
    image,
    command: ['sh', '-c', script],
    env: [{ name: 'NAME', value: name }],
    volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
    ...more,
  };
}

export function initContainer(name: string, script: string = ends, more = {}): ContainerOf {
  return container(name, script, more);
}

export function sidecar(name: string, more: Record<string, unknown> = {}): ContainerOf {
  return container(name, obeys, { restartPolicy: 'Always', ...more });
}

/** The fields that make a container ask for an in-place restart on these exit codes. */
export function restartAllOn(...values: number[]): Record<string, unknown> {
  return {
    restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values } }],
  };
}

export function pod(
  name: string,
  initContainers: readonly ContainerOf[],
  containers: readonly ContainerOf[],
  more: Record<string, unknown> = {},
): ManifestOf {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations: { 'reprise.dev/in-place-backoff': '0' } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 2,
      volumes: [{ name: 'shared', emptyDir: {} }],
      initContainers,
      containers,
      ...more,
    },
  };
}

/** One init container, a sidecar that asks for a restart with 88, one app container. */
export function referencePod(name: string, more: Record<string, unknown> = {}): ManifestOf {
  return pod(
    name,
    [initContainer('setup'), sidecar('watcher', restartAllOn(88))],
    [container('main')],
    more,
  );
}
