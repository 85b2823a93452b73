/**
 * The pod that is restarted again and again: what its containers do, and the manifest they come from.
 *
 * The clock runs from the trigger's last act to the first act of the app containers. Both acts make
 * a file in a folder that pod and benchmark share, and cost the shell no process: a redirection of
 * its own. The trigger waits in the open(2) of a FIFO until the benchmark writes to it.
 *
 * Read next: shared-folder.ts, the other side of these files.
 */

/** What is restarted. */
export interface Scenario {
  /** How many pods are restarted together. */
  readonly pods: number;
  /** App containers of each pod. */
  readonly containers: number;
  /** Init containers of each pod that exit at once; they come before the sidecar. */
  readonly inits: number;
  /** Has `sh`, `sleep` and `true`. */
  readonly image: string;
}

/** The sidecar that asks for the restart. */
export const triggerContainer = 'watcher';

/** The exit code that means a restart of all containers. */
export const triggerExitCode = 88;

/** What the pod and the benchmark tell each other with, by file name in the shared folder. */
export const files = {
  /** A FIFO: the trigger reads a line from it, then acts. */
  fire: 'fire',
  /** Made by the trigger as its last act. */
  lastAct: 'last-act',
  /** Made by an app container as its first act. */
  firstActOf: (container: string): string => `first-act-of-${container}`,
} as const;

const mountPath = '/shared';

/** The names of the app containers. */
export function appNames({ containers }: Scenario): readonly string[] {
  return Array.from({ length: containers }, (_, index) => `app-${index}`);
}

/** The names of all containers in the order in which they start. */
export function startOrder(scenario: Scenario): readonly string[] {
  return [...initNames(scenario), triggerContainer, ...appNames(scenario)];
}

function initNames({ inits }: Scenario): readonly string[] {
  return Array.from({ length: inits }, (_, index) => `init-${index}`);
}

/** The manifest of one pod, as a user would write it. */
export function manifestOf(
  scenario: Scenario,
  place: { readonly name: string; readonly namespace: string; readonly sharedFolder: string },
): object {
  const { name, namespace, sharedFolder } = place;
  // It is there since the set-up. A registry that is asked at every start would be measured as well,
  // and would keep the agent from creating containers ahead.
  const image = { image: scenario.image, imagePullPolicy: 'IfNotPresent' };
  const volumeMounts = [{ name: 'shared', mountPath }];
  const container = (which: string, script: string): object => {
    return { name: which, ...image, command: ['sh', '-c', script], volumeMounts };
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      // One restart follows another here; the back-off would be all that is measured.
      annotations: { 'reprise.dev/in-place-backoff': '0' },
    },
    spec: {
      restartPolicy: 'Never',
      initContainers: [
        ...initNames(scenario).map((init) => ({ name: init, ...image, command: ['true'] })),
        {
          ...container(triggerContainer, triggerScript),
          restartPolicy: 'Always',
          restartPolicyRules: [
            {
              action: 'RestartAllContainers',
              exitCodes: { operator: 'In', values: [triggerExitCode] },
            },
          ],
        },
      ],
      containers: appNames(scenario).map((app) => container(app, appScript(app))),
      volumes: [{ name: 'shared', hostPath: { path: sharedFolder, type: 'Directory' } }],
    },
  };
}

const triggerScript = [
  `read line < ${mountPath}/${files.fire}`,
  `: > ${mountPath}/${files.lastAct}`,
  `exit ${triggerExitCode}`,
].join('\n');

function appScript(app: string): string {
  return `: > ${mountPath}/${files.firstActOf(app)}\nexec sleep 1000000`;
}
