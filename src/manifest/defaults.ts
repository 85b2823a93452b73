/**
 * A valid manifest -> the Pod, with Kubernetes' defaults filled in.
 *
 * Read next: ../pod/pod.ts, what comes out.
 */
import { parseDuration } from '../pod/duration.ts';
import type { Hook, HttpGetAction, Lifecycle, Probe } from '../pod/handler.ts';
import type {
  Container,
  ContainerPort,
  ContainerSecurityContext,
  EnvVar,
  Pod,
  PodMetadata,
  PodSecurityContext,
  PodSpec,
  Resources,
  Volume,
} from '../pod/pod.ts';
import { containerResources } from '../pod/pod-resources.ts';
import { generationAnnotation } from '../pod/pod-status.ts';
import { fileVolumeOf, withDivisorAsText } from './file-volumes.ts';
import type { RawVolume } from './file-volumes.ts';
import { present } from './present.ts';
import { inPlaceBackoffAnnotation } from './rules/names.ts';
import { podSpec } from './schema/pod.ts';
import type { RawContainer, RawPod } from './schema/pod.ts';
import { fieldsOf } from './schema/walk.ts';

/** A pod as its manifest gives it; whoever accepts it adds uid (if absent) and creationTimestamp. */
export interface ManifestPod extends Omit<Pod, 'metadata'> {
  readonly metadata: Omit<PodMetadata, 'uid' | 'creationTimestamp'> & { readonly uid?: string };
}

/** The pod that a manifest means. */
export function withDefaults({ metadata, spec }: RawPod, namespace = 'default'): ManifestPod {
  // The generation of another life of the pod is not one of this one's.
  const { [generationAnnotation]: _, ...annotations } = metadata.annotations ?? {};
  const backoff = parseDuration(annotations[inPlaceBackoffAnnotation] ?? '');
  return {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace ?? namespace,
      ...(metadata.uid !== undefined && { uid: metadata.uid }),
      labels: metadata.labels ?? {},
      annotations,
    },
    spec: withPodResources(specWithDefaults(spec), spec.resources),
    ...(backoff !== undefined && { inPlaceBackoffMaxMs: backoff }),
  };
}

function specWithDefaults(spec: RawPod['spec']): PodSpec {
  const hostNetwork = spec.hostNetwork ?? false;
  const toContainer = (container: RawContainer): Container =>
    withContainerDefaults(container, hostNetwork);
  return {
    initContainers: (spec.initContainers ?? []).map(toContainer),
    containers: spec.containers.map(toContainer),
    volumes: (spec.volumes ?? []).map(withVolumeDefaults),
    restartPolicy: spec.restartPolicy ?? 'Always',
    // Kubernetes accepts a negative one and takes it for 1.
    terminationGracePeriodSeconds:
      (spec.terminationGracePeriodSeconds ?? 30) < 0
        ? 1
        : (spec.terminationGracePeriodSeconds ?? 30),
    ...present({
      activeDeadlineSeconds: spec.activeDeadlineSeconds,
      hostname: spec.hostname,
      hostnameOverride: spec.hostnameOverride,
      subdomain: spec.subdomain,
      setHostnameAsFQDN: spec.setHostnameAsFQDN,
      runtimeClassName: spec.runtimeClassName,
      priorityClassName: spec.priorityClassName,
      hostUsers: spec.hostUsers,
      readinessGates: spec.readinessGates,
      imagePullSecrets: spec.imagePullSecrets?.flatMap(({ name }) => (name ? [{ name }] : [])),
    }),
    hostNetwork,
    hostPID: spec.hostPID ?? false,
    hostIPC: spec.hostIPC ?? false,
    shareProcessNamespace: spec.shareProcessNamespace ?? false,
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    ...(spec.dnsConfig && {
      dnsConfig: {
        nameservers: spec.dnsConfig.nameservers ?? [],
        searches: spec.dnsConfig.searches ?? [],
        options: spec.dnsConfig.options ?? [],
      },
    }),
    hostAliases: (spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => ({ ip, hostnames })),
    securityContext: withPodSecurityDefaults(spec.securityContext ?? {}),
    inert: inertFieldsOf(spec),
  };
}

/** Kept as written, to be shown again; `os` is checked, but has nothing left to do then. */
function inertFieldsOf(spec: RawPod['spec']): Record<string, unknown> {
  const kept = fieldsOf(podSpec).filter(
    ({ name, treatment }) => treatment?.kind === 'inert' || name === 'os',
  );
  const values: Readonly<Record<string, unknown>> = spec;
  return Object.fromEntries(
    kept.flatMap(({ name }) => (values[name] === undefined ? [] : [[name, values[name]]])),
  );
}

/** The container that an entry of a list of containers means. */
export function withContainerDefaults(container: RawContainer, hostNetwork: boolean): Container {
  const { name, image, workingDir, restartPolicy } = container;
  return {
    name,
    image,
    imagePullPolicy: container.imagePullPolicy ?? defaultPullPolicy(image),
    command: container.command ?? [],
    args: container.args ?? [],
    env: (container.env ?? []).map(withEnvDefaults),
    envFrom: (container.envFrom ?? []).map((source) => present(source)),
    ports: (container.ports ?? []).map((port) => withPortDefaults(port, hostNetwork)),
    resources: withResourceDefaults(container.resources ?? {}),
    volumeMounts: (container.volumeMounts ?? []).map((mount) => ({
      readOnly: false,
      ...present(mount),
      name: mount.name,
      mountPath: mount.mountPath,
    })),
    securityContext: withSecurityDefaults(container.securityContext ?? {}),
    restartPolicyRules: (container.restartPolicyRules ?? []).map(({ action, exitCodes }) => ({
      action,
      exitCodes: { operator: exitCodes.operator, values: exitCodes.values ?? [] },
    })),
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    ...present({
      workingDir,
      restartPolicy,
      startupProbe: withProbeDefaults(container.startupProbe),
      livenessProbe: withProbeDefaults(container.livenessProbe),
      readinessProbe: withProbeDefaults(container.readinessProbe),
      lifecycle: withLifecycleDefaults(container.lifecycle ?? {}),
    }),
  };
}

/** Images that may change under their name are looked for again at every start. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const [reference = '', digest] = image.split('@');
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  if (tag === 'latest') return 'Always';
  return tag === undefined && digest === undefined ? 'Always' : 'IfNotPresent';
}

type Raw<Key extends keyof RawContainer> = NonNullable<RawContainer[Key]>;

function withEnvDefaults({ name, value, valueFrom }: Raw<'env'>[number]): EnvVar {
  if (valueFrom === undefined) return { name, value: value ?? '' };
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  return {
    name,
    valueFrom: present({
      fieldRef: fieldRef && { apiVersion: 'v1', fieldPath: fieldRef.fieldPath },
      resourceFieldRef: resourceFieldRef && withDivisorAsText(resourceFieldRef),
      configMapKeyRef,
      secretKeyRef,
      fileKeyRef,
    }),
  };
}

function withProbeDefaults(probe: Raw<'livenessProbe'> | undefined): Probe | undefined {
  if (probe === undefined) return undefined;
  const { exec, httpGet, tcpSocket, grpc, terminationGracePeriodSeconds } = probe;
  // 0 counts as absent.
  return {
    ...present({
      exec,
      httpGet: httpGet && withHttpGetDefaults(httpGet),
      tcpSocket,
      grpc: grpc && { port: grpc.port, service: grpc.service ?? '' },
      initialDelaySeconds: probe.initialDelaySeconds || undefined,
      terminationGracePeriodSeconds,
    }),
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

function withLifecycleDefaults({
  postStart,
  preStop,
  stopSignal,
}: Raw<'lifecycle'>): Lifecycle | undefined {
  const lifecycle = present({
    postStart: withHookDefaults(postStart),
    preStop: withHookDefaults(preStop),
    stopSignal,
  });
  return Object.keys(lifecycle).length > 0 ? lifecycle : undefined;
}

function withHookDefaults(hook: Raw<'lifecycle'>['preStop']): Hook | undefined {
  if (hook === undefined) return undefined;
  const { exec, httpGet, sleep } = hook;
  return present({ exec, httpGet: httpGet && withHttpGetDefaults(httpGet), sleep });
}

function withHttpGetDefaults(httpGet: NonNullable<Raw<'livenessProbe'>['httpGet']>): HttpGetAction {
  const { path = '/', port, host, scheme = 'HTTP', httpHeaders = [] } = httpGet;
  return {
    path,
    port,
    scheme,
    httpHeaders: httpHeaders.map(({ name, value = '' }) => ({ name, value })),
    ...present({ host }),
  };
}

function withPortDefaults(port: Raw<'ports'>[number], hostNetwork: boolean): ContainerPort {
  const { name, containerPort, hostPort, hostIP, protocol = 'TCP' } = port;
  const onHost = hostPort || (hostNetwork ? containerPort : undefined);
  return { ...present({ name, hostPort: onHost, hostIP }), containerPort, protocol };
}

function withResourceDefaults({ requests, limits }: Raw<'resources'>): Resources {
  return { requests: asText({ ...limits, ...requests }), limits: asText(limits ?? {}) };
}

/** What the pod requests as a whole: what it says, what its containers do, or its limits. */
function withPodResources(spec: PodSpec, given: RawPod['spec']['resources']): PodSpec {
  const { requests = {}, limits = {} } = given ?? {};
  if (Object.keys({ ...requests, ...limits }).length === 0) return spec;
  const { cpuRequestMilli, memoryRequestBytes } = containerResources({ spec });
  const ofContainers = {
    ...(cpuRequestMilli > 0 && { cpu: `${cpuRequestMilli}m` }),
    ...(memoryRequestBytes > 0 && { memory: String(memoryRequestBytes) }),
  };
  const resources = {
    requests: asText({ ...limits, ...ofContainers, ...requests }),
    limits: asText(limits),
  };
  return { ...spec, resources };
}

function asText(quantities: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(quantities).map(([name, value]) => [name, String(value)]),
  );
}

function withSecurityDefaults(context: Raw<'securityContext'>): ContainerSecurityContext {
  const { runAsUser, runAsGroup, runAsNonRoot, allowPrivilegeEscalation, procMount } = context;
  return {
    privileged: context.privileged ?? false,
    readOnlyRootFilesystem: context.readOnlyRootFilesystem ?? false,
    capabilities: {
      add: context.capabilities?.add ?? [],
      drop: context.capabilities?.drop ?? [],
    },
    ...present({ runAsUser, runAsGroup, runAsNonRoot, allowPrivilegeEscalation, procMount }),
    ...withConfinement(context),
  };
}

function withPodSecurityDefaults(
  context: NonNullable<RawPod['spec']['securityContext']>,
): PodSecurityContext {
  const { runAsUser, runAsGroup, runAsNonRoot, supplementalGroupsPolicy } = context;
  const { fsGroup, fsGroupChangePolicy } = context;
  return {
    supplementalGroups: context.supplementalGroups ?? [],
    sysctls: context.sysctls ?? [],
    ...present({ runAsUser, runAsGroup, runAsNonRoot, supplementalGroupsPolicy }),
    ...present({ fsGroup, fsGroupChangePolicy }),
    ...withConfinement(context),
  };
}

/** What both kinds of security context have. */
function withConfinement({
  seccompProfile,
  appArmorProfile,
  seLinuxOptions,
}: Raw<'securityContext'>): Pick<
  ContainerSecurityContext,
  'seccompProfile' | 'appArmorProfile' | 'seLinuxOptions'
> {
  return present({ seccompProfile, appArmorProfile, seLinuxOptions });
}

function withVolumeDefaults(volume: RawVolume): Volume {
  const { name, emptyDir, hostPath, persistentVolumeClaim, image } = volume;
  if (hostPath) return { name, hostPath: { path: hostPath.path, type: hostPath.type ?? '' } };
  if (persistentVolumeClaim) return { name, persistentVolumeClaim };
  if (image) {
    const { reference, pullPolicy = defaultPullPolicy(reference) } = image;
    return { name, image: { reference, pullPolicy } };
  }
  const files = fileVolumeOf(volume);
  if (files) return { name, ...files };
  const sizeLimit = emptyDir?.sizeLimit;
  return {
    name,
    emptyDir: {
      medium: emptyDir?.medium ?? '',
      ...(sizeLimit !== undefined && { sizeLimit: String(sizeLimit) }),
    },
  };
}
