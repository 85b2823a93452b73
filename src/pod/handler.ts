/**
 * What probes and hooks do at a container: run a command in it, or ask it over the network. The
 * shape is Kubernetes' own, with every default filled in.
 *
 * Read next: probes.ts, when a probe is due and what its results lead to; hooks.ts.
 */
import type { Container } from './pod.ts';

/** A probe has exactly one of exec, httpGet, tcpSocket and grpc. */
export interface Probe {
  readonly exec?: ExecAction;
  readonly httpGet?: HttpGetAction;
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string };
  readonly grpc?: { readonly port: number; readonly service: string };
  /** From the start of the container to the first probe; absent: none. */
  readonly initialDelaySeconds?: number;
  readonly timeoutSeconds: number;
  readonly periodSeconds: number;
  /** Results in a row before they count. */
  readonly successThreshold: number;
  readonly failureThreshold: number;
  /** For the stop that a failure leads to; absent: that of the pod. */
  readonly terminationGracePeriodSeconds?: number;
}

export interface Lifecycle {
  /** Right after each start; whatever waits for the container waits for its end, too. */
  readonly postStart?: Hook;
  /** Before the stop signal, within the grace. */
  readonly preStop?: Hook;
  /** In place of the image's; one of stopSignals. */
  readonly stopSignal?: string;
}

const count = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);

/** The names of all signals that a container can be told to end with. */
export const stopSignals: readonly string[] = [
  ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV'.split(
    ' ',
  ),
  ...'STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'.split(' '),
  ...['RTMIN', ...count(15).map((distance) => `RTMIN+${distance}`)],
  ...['RTMAX', ...count(14).map((distance) => `RTMAX-${distance}`)],
].map((name) => `SIG${name}`);

/** A hook has exactly one of exec, httpGet and sleep. */
export interface Hook {
  readonly exec?: ExecAction;
  readonly httpGet?: HttpGetAction;
  readonly sleep?: { readonly seconds: number };
}

export type HookKind = 'postStart' | 'preStop';

/** A command, run in the container without a shell. */
export interface ExecAction {
  readonly command: readonly string[];
}

export interface HttpGetAction {
  readonly path: string;
  /** A number, or the name of one of the container's ports. */
  readonly port: number | string;
  /** Absent: the address of the pod. */
  readonly host?: string;
  readonly scheme: 'HTTP' | 'HTTPS';
  /** A name may be there more than once. */
  readonly httpHeaders: readonly { readonly name: string; readonly value: string }[];
}

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export const probeKinds: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

/** The probe of that kind, if the container has one. */
export function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  switch (kind) {
    case 'startup':
      return container.startupProbe;
    case 'liveness':
      return container.livenessProbe;
    case 'readiness':
      return container.readinessProbe;
    default:
      return kind satisfies never;
  }
}

/** The number of a port that may be given by its name; undefined if the container has no such port. */
export function portNumber(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  return container.ports.find(({ name }) => name === port)?.containerPort;
}
