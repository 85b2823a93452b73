/** Probes and hooks: what they do, how often, and from which result on it counts. */
import { z } from 'zod';
import { stopSignals } from '../../pod/handler.ts';
import { honoured, must, refused, required } from './field.ts';
import { listOf } from './many.ts';
import { integer, isPortName, plainText, port, textOrNumber } from './scalar.ts';

/** What a hook may do. */
export const hookHandlers = ['exec', 'httpGet', 'sleep'] as const;
/** What a probe may do. */
export const probeHandlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const;

const most = 2 ** 31 - 1;
const seconds = (least: number): z.ZodNumber => integer(least, most);

const exec = z.strictObject({
  command: required(
    must(
      listOf(z.string()),
      (command) => command.length > 0,
      'must have at least one item',
      'name the program and its arguments, such as ["cat", "/tmp/ready"]',
    ),
    'the command and its arguments; no shell is around it',
  ),
});

const portOrName = must(
  textOrNumber(
    'must be the number or the name of a port',
    'write a number, such as 8080, or a name from the ports of the container',
  ),
  (value) => (typeof value === 'string' ? isPortName(value) : port().safeParse(value).success),
  'must be a number between 1 and 65535, inclusive, or the name of a port',
  (value) =>
    /^\d+$/.test(String(value)) && typeof value === 'string'
      ? 'write the number without quotes'
      : 'use a number that is in range, or a name from the ports of the container',
);

const header = z.strictObject({
  name: required(
    must(
      z.string(),
      // Kubernetes' rule; HTTP itself would let some more characters pass.
      (name) => /^[-0-9A-Za-z]+$/.test(name),
      'must be the name of an HTTP header',
      'use letters, digits and "-", such as "X-Probe"; the value is a field of its own',
    ),
    'its name; Host sets the host that is asked for',
  ),
  value: honoured(
    must(
      z.string(),
      // What Go's client refuses to send (httpguts.ValidHeaderFieldValue).
      (value) => !/[\0-\x08\x0a-\x1f\x7f]/.test(value),
      'must not contain control characters',
      'remove the line breaks and other control characters; a further header is a further item',
    ),
    'its value, sent as UTF-8; default "", which for Accept means none at all',
  ),
});

const httpGet = z.strictObject({
  path: honoured(plainText(), 'what is asked for; default /'),
  port: required(portOrName, 'the number of a port, or its name in the ports of the container'),
  host: honoured(plainText(), 'the host to connect to; default the address of the pod'),
  scheme: honoured(
    z.enum(['HTTP', 'HTTPS']),
    'default HTTP; with HTTPS the certificate is not verified',
  ),
  httpHeaders: honoured(listOf(header), 'headers of the request'),
});

const tcpSocket = z.strictObject({
  port: required(portOrName, 'the number of a port, or its name in the ports of the container'),
  host: honoured(plainText(), 'the host to connect to; default the address of the pod'),
});

const grpc = z.strictObject({
  port: required(port(), 'the number of a port'),
  service: honoured(plainText(), 'the service whose health is asked for; default ""'),
});

/** Numbers that are 0 count as absent, as they do in Kubernetes. */
const probeFields = z.strictObject({
  exec: honoured(exec, 'a command in the container; 0 is a success'),
  httpGet: honoured(httpGet, 'a request from the node; 200 to 399 is a success'),
  tcpSocket: honoured(tcpSocket, 'a connection from the node'),
  grpc: honoured(grpc, 'the gRPC health protocol, from the node, without TLS'),
  initialDelaySeconds: honoured(seconds(0), 'from the start of the container; default 0'),
  timeoutSeconds: honoured(seconds(0), 'for each probe; default 1'),
  periodSeconds: honoured(seconds(0), 'from probe to probe; default 10'),
  successThreshold: honoured(
    seconds(0),
    'successes in a row before they count; default 1, and only 1 but for readiness',
  ),
  failureThreshold: honoured(seconds(0), 'failures in a row before they count; default 3'),
  terminationGracePeriodSeconds: honoured(
    seconds(1),
    "for the stop after a failure; default the pod's; not for readiness",
  ),
});

export const probe = must(
  probeFields,
  (fields) => probeHandlers.some((name) => fields[name] !== undefined),
  `must have a handler: ${probeHandlers.join(', ')}`,
  'add one, such as "tcpSocket: {port: 8080}"',
);

const hookFields = z.strictObject({
  exec: honoured(exec, 'a command in the container; no time limit, $(NAME) is not expanded'),
  httpGet: honoured(httpGet, 'a request from the node; any status is a success'),
  sleep: honoured(
    z.strictObject({ seconds: required(seconds(0), 'how long; not longer than the grace') }),
    'a pause',
  ),
  tcpSocket: refused('Kubernetes accepts such a hook, and then it fails every time'),
});

const hook = must(
  hookFields,
  (fields) => hookHandlers.some((name) => fields[name] !== undefined) || 'tcpSocket' in fields,
  `must have a handler: ${hookHandlers.join(', ')}`,
  'add one, such as "sleep: {seconds: 5}"',
);

export const lifecycle = z.strictObject({
  postStart: honoured(
    hook,
    'right after the start; what waits for the container waits for it; if it fails, the container is stopped',
  ),
  preStop: honoured(
    hook,
    'before the stop signal, within the grace; not before an in-place restart, which kills',
  ),
  stopSignal: honoured(
    z.enum(stopSignals),
    "in place of the image's; needs spec.os; sent by us, as containerd before 2.3 cannot",
  ),
});
