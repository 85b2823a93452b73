/** The v1 Container: what it runs, with which environment, ports, resources and mounts. */
import { z } from 'zod';
import { envFrom, envVar } from './environment.ts';
import { honoured, inert, must, refused, required } from './field.ts';
import { listOf, mapOf } from './many.ts';
import { lifecycle, probe } from './handler.ts';
import {
  atMost,
  dnsLabel,
  hasParentStep,
  int32,
  integer,
  ipAddress,
  isPortName,
  plainText,
  port,
  quantity,
} from './scalar.ts';
import { containerSecurityContext } from './security.ts';

const containerPort = z.strictObject({
  name: honoured(
    must(
      z.string(),
      isPortName,
      "must be at most 15 lower case letters, digits and single '-' between them, with at least one letter",
      'write it like "http" or "metrics-1"',
    ),
    'a name for the port, unique in the container',
  ),
  containerPort: required(port(), 'the port on the IP address of the pod'),
  hostPort: honoured(
    integer(0, 65535),
    'the port on the node that leads to it; a pod is rejected if another one has it; on init containers and sidecars it has no effect, and a note says so',
  ),
  hostIP: honoured(ipAddress(), 'the address of the node that hostPort is bound to; default all'),
  protocol: honoured(z.enum(['TCP', 'UDP', 'SCTP']), 'default TCP'),
});

const resources = z.strictObject({
  requests: honoured(
    mapOf(quantity()),
    'what is set aside: more than the others leave is rejected, cpu becomes a weight; default the limits',
  ),
  limits: honoured(
    mapOf(quantity()),
    'what is allowed at most: cpu, memory, huge pages, and how many devices, e.g. nvidia.com/gpu',
  ),
  claims: refused('dynamic resource claims are not supported', []),
});

const subPath = (): z.ZodString =>
  must(
    must(
      plainText(),
      (path) => !path.startsWith('/'),
      'must be a relative path',
      'remove the "/" before it: the path begins at the root of the volume',
    ),
    (path) => !hasParentStep(path),
    'must not contain ".."',
    'name what is mounted from the root of the volume; nothing above it can be',
  );

export const volumeMount = z.strictObject({
  name: required(z.string(), 'the volume'),
  mountPath: required(plainText(), 'where it is mounted in the container'),
  readOnly: honoured(z.boolean(), 'default false'),
  mountPropagation: honoured(
    z.enum(['None', 'HostToContainer', 'Bidirectional']),
    'whether later mounts of the node get in, and those of the container out; default None',
  ),
  recursiveReadOnly: honoured(
    z.enum(['Disabled', 'IfPossible', 'Enabled']),
    'whether what is mounted below is read-only, too; needs containerd 2.0; default Disabled',
  ),
  subPath: honoured(subPath(), 'a path inside the volume, in place of the whole; made if missing'),
  subPathExpr: honoured(subPath(), 'the same with $(NAME) for variables of the container'),
});

const restartRule = z.strictObject({
  action: required(
    z.enum(['Restart', 'RestartAllContainers']),
    'what a matching exit leads to: a restart of this container, or of all in place',
  ),
  exitCodes: required(
    z.strictObject({
      operator: required(
        z.enum(['In', 'NotIn']),
        'whether the code must be among the values or not',
      ),
      values: honoured(
        atMost(255, listOf(int32()), 'name the other codes, with the other operator'),
        'exit codes, at most 255',
      ),
    }),
    'the exits that the rule matches',
  ),
});

export const container = z.strictObject({
  name: required(dnsLabel(), 'unique among all containers of the pod'),
  image: required(
    must(
      plainText(),
      (image) => image === image.trim(),
      'must not have leading or trailing spaces',
      'remove the spaces around it',
    ),
    'the image to run',
  ),
  imagePullPolicy: honoured(
    z.enum(['Always', 'IfNotPresent', 'Never']),
    'default Always for the tag latest or none, else IfNotPresent',
  ),
  command: honoured(listOf(z.string()), "in place of the image's entrypoint; $(NAME) is expanded"),
  args: honoured(listOf(z.string()), "in place of the image's command; $(NAME) is expanded"),
  workingDir: honoured(plainText(), "default the image's"),
  env: honoured(listOf(envVar), 'environment variables, in this order'),
  envFrom: honoured(listOf(envFrom), 'variables from ConfigMaps and Secrets; those of env win'),
  ports: honoured(
    listOf(containerPort),
    'ports; those of app containers with a hostPort are mapped',
  ),
  resources: honoured(resources, 'requests and limits'),
  resizePolicy: inert(
    listOf(
      z.strictObject({
        resourceName: z.enum(['cpu', 'memory']),
        restartPolicy: z.enum(['NotRequired', 'RestartContainer']),
      }),
    ),
    'a running pod cannot be resized here',
  ),
  restartPolicy: honoured(
    z.enum(['Always', 'OnFailure', 'Never']),
    'what its exits lead to; on an init container Always makes a sidecar; default that of the pod',
  ),
  restartPolicyRules: honoured(
    atMost(20, listOf(restartRule), 'put the exit codes of one action into one rule'),
    'rules for exits, at most 20; the first that matches wins over restartPolicy',
  ),
  volumeMounts: honoured(listOf(volumeMount), 'volumes it sees'),
  volumeDevices: refused(
    'a claim is a folder here, never a block device; mount it on the node and use hostPath',
    [],
  ),
  livenessProbe: honoured(probe, 'fails: the container is stopped and started again'),
  readinessProbe: honoured(probe, 'whether the container is ready'),
  startupProbe: honoured(
    probe,
    'whether it has started: the other probes, and what comes after a sidecar, wait for it',
  ),
  lifecycle: honoured(lifecycle, 'what is run after its start and before its end'),
  terminationMessagePath: honoured(
    plainText(),
    'the file whose last 4096 bytes become the message of its exit; default /dev/termination-log',
  ),
  terminationMessagePolicy: honoured(
    z.enum(['File', 'FallbackToLogsOnError']),
    'whether the end of the log stands in for an empty file after an error; default File',
  ),
  securityContext: honoured(containerSecurityContext, 'privileges, over those of the pod'),
  stdin: honoured(z.boolean(), 'whether its standard input stays open; default false'),
  stdinOnce: honoured(
    z.boolean(),
    'whether it closes after the first who attaches, which only the runtime offers (crictl attach); default false',
  ),
  tty: honoured(z.boolean(), 'whether it gets a terminal; default false'),
});
