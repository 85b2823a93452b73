/**
 * The v1 Pod as a type that can be walked: every field that Kubernetes 1.36 knows, and how it is
 * treated. Rules that concern more than one field are in ../rules/.
 *
 * Read next: field.ts, the three ways a field is treated.
 */
import { z } from 'zod';
import { maxKernelHostname } from '../../pod/hostname.ts';
import { container } from './container.ts';
import { honoured, inert, must, refused, required } from './field.ts';
import { listOf, mapOf } from './many.ts';
import { metadata } from './metadata.ts';
import {
  atMost,
  dnsLabel,
  dnsSubdomain,
  int32,
  integer,
  ipAddress,
  isDnsSubdomain,
  isQualifiedName,
  plainText,
  quantity,
  textMap,
} from './scalar.ts';
import { podSecurityContext } from './security.ts';
import { volume } from './volume.ts';

const noScheduler = 'there is no scheduler: the pod runs on this node';
const noServiceAccounts = 'there is no API server to be somebody at; no token is mounted';
const onlyAName = `${noServiceAccounts}, only variables tell the name`;
export const noPriority = 'pods are neither preempted nor evicted here';

const domain = (): z.ZodString =>
  must(
    z.string(),
    // Resolvers use underscores, and a dot at the end for a name that is complete.
    (name) => name === '.' || isDnsSubdomain(name.replace(/\.$/, '').replace(/_/g, 'x')),
    'must be "." or the name of a domain',
    'write it like "example.org"',
  );

const dnsConfig = z.strictObject({
  nameservers: honoured(listOf(ipAddress()), 'added to those of the policy; at most 3'),
  searches: honoured(listOf(domain()), 'added to those of the policy; at most 32'),
  options: honoured(
    listOf(
      z.strictObject({
        name: required(plainText(), 'the name of an option of resolv.conf'),
        value: honoured(plainText(), 'its value'),
      }),
    ),
    "merged with the policy's",
  ),
});

const hostAlias = z.strictObject({
  ip: required(ipAddress(), 'an address'),
  hostnames: honoured(
    listOf(
      must(
        z.string(),
        isDnsSubdomain,
        'must be the name of a host',
        'write it like "db" or "db.example.org", in lower case',
      ),
    ),
    'names for it',
  ),
});

const podResources = z.strictObject({
  requests: honoured(
    mapOf(quantity()),
    'cpu, memory and huge pages; default what the containers request together, then the limits',
  ),
  limits: honoured(
    mapOf(quantity()),
    'no less than the containers request together; also the limits of those that have none of their own',
  ),
  claims: refused('dynamic resource claims are not supported', []),
});

const imagePullSecret = z.strictObject({
  name: honoured(
    dnsSubdomain(),
    'a Secret of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg',
  ),
});

/** A rule of our own: with ever more of them a pod would hold up the others that the agent has. */
const MOST_CONTAINERS = 1000;

export const podSpec = z.strictObject({
  containers: required(
    atMost(MOST_CONTAINERS, listOf(container), 'split the pod into several'),
    'app containers, at least one and at most 1000',
  ),
  initContainers: honoured(
    atMost(MOST_CONTAINERS, listOf(container), 'let one container do several of the steps'),
    'init containers and sidecars, started in this order; at most 1000',
  ),
  ephemeralContainers: refused(
    'ephemeral containers are added to a running pod, not to a manifest',
    [],
  ),
  volumes: honoured(listOf(volume), 'volumes'),
  restartPolicy: honoured(z.enum(['Always', 'OnFailure', 'Never']), 'default Always'),
  terminationGracePeriodSeconds: honoured(
    int32(),
    'from the start of the preStop hook to SIGKILL, but never less than 2 s from the stop signal on; default 30, at least 1',
  ),
  activeDeadlineSeconds: honoured(integer(1, 2 ** 31 - 1), 'how long the pod may run'),
  hostname: honoured(dnsLabel(), 'default the name of the pod'),
  hostnameOverride: honoured(
    must(
      dnsSubdomain(),
      (name) => name.length <= maxKernelHostname,
      `must have at most ${maxKernelHostname} characters`,
      'choose a shorter one: the kernel has no room for more',
    ),
    'the whole hostname, in place of all other parts of it',
  ),
  subdomain: honoured(
    dnsLabel(),
    'the pod is HOSTNAME.SUBDOMAIN.NAMESPACE.svc.DOMAIN in its own /etc/hosts; no DNS knows it',
  ),
  setHostnameAsFQDN: honoured(
    z.boolean(),
    'whether the hostname is that full name, of at most 64 characters; default false',
  ),
  hostAliases: honoured(listOf(hostAlias), 'lines added to /etc/hosts'),
  hostNetwork: honoured(z.boolean(), "whether the pod uses the node's network; default false"),
  hostPID: honoured(z.boolean(), "whether it sees the node's processes; default false"),
  hostIPC: honoured(z.boolean(), "whether it shares the node's IPC; default false"),
  hostUsers: honoured(
    z.boolean(),
    "false gives the pod users of its own, with containerd 2.0 or later; default true: the node's",
  ),
  shareProcessNamespace: honoured(
    z.boolean(),
    'whether its containers see one another; default false',
  ),
  dnsPolicy: honoured(
    z.enum(['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']),
    "all but None give the node's resolver (--resolv-conf), as there is no cluster DNS; default ClusterFirst",
  ),
  dnsConfig: honoured(dnsConfig, 'changes to resolv.conf'),
  runtimeClassName: honoured(
    dnsSubdomain(),
    "the name of a handler in containerd's configuration; the pod is rejected if there is none",
  ),
  securityContext: honoured(podSecurityContext, 'privileges for all containers'),
  resources: honoured(podResources, 'what its containers have together'),
  resourceClaims: refused('dynamic resource claims are not supported', []),
  imagePullSecrets: honoured(
    listOf(imagePullSecret),
    'credentials for registries; one that is missing is passed over, with an event',
  ),
  os: honoured(
    z.strictObject({ name: required(z.enum(['linux']), 'this is a Linux node') }),
    'the system that the pod expects',
  ),
  affinity: inert(z.looseObject({}), noScheduler),
  tolerations: inert(listOf(z.looseObject({})), noScheduler),
  nodeSelector: inert(textMap(), noScheduler),
  topologySpreadConstraints: inert(listOf(z.looseObject({})), noScheduler),
  schedulerName: inert(z.string(), noScheduler),
  nodeName: inert(dnsSubdomain(), noScheduler),
  schedulingGroup: inert(z.looseObject({}), noScheduler),
  schedulingGates: refused('nothing here would ever lift a scheduling gate', []),
  priority: inert(z.number(), noPriority),
  priorityClassName: honoured(
    dnsSubdomain(),
    'with system-node-critical the kernel kills it last for want of memory; any other has no effect, and a note says so',
  ),
  preemptionPolicy: inert(z.string(), noPriority),
  overhead: inert(
    mapOf(z.unknown()),
    'it is neither counted as a request, nor in the limits of the pod, nor told to the runtime',
  ),
  readinessGates: honoured(
    listOf(
      z.strictObject({
        conditionType: required(
          must(
            z.string(),
            isQualifiedName,
            'must be a name, maybe after "prefix/"',
            'write it like "example.org/feature-ready"',
          ),
          'the type of the condition',
        ),
      }),
    ),
    'conditions that Ready waits for; others set them by the subresource status',
  ),
  serviceAccountName: inert(z.string(), onlyAName),
  serviceAccount: inert(z.string(), onlyAName),
  automountServiceAccountToken: inert(z.boolean(), noServiceAccounts),
  enableServiceLinks: inert(z.boolean(), 'there are no services to link to'),
});

export const podSchema = z.strictObject({
  apiVersion: required(z.enum(['v1']), 'v1'),
  kind: required(z.enum(['Pod']), 'Pod'),
  metadata: required(metadata, 'what names the pod'),
  spec: required(podSpec, 'what is wanted of it'),
  status: inert(z.looseObject({}), 'what is wanted is in the spec; the status starts anew'),
});

/** A Pod as its manifest has it: right types, nothing filled in. */
export type RawPod = z.output<typeof podSchema>;
export type RawContainer = RawPod['spec']['containers'][number];
