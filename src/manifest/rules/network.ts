/** Ports, and what does not go together with the node's network. */
import {
  duplicateValue,
  forbidden,
  invalidValue,
  requiredValue,
  tooMany,
} from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { placed, placedContainers, repeated } from './rule.ts';
import type { PartlyPod, Placed } from './rule.ts';

/** Names of ports are unique inside a container. */
export function* checkPortNames(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    const ports = placed(container.ports, [...path, 'ports']);
    for (const port of repeated(ports, ({ value }) => value.name)) {
      yield {
        path: [...port.path, 'name'],
        message: duplicateValue(port.value.name),
        hint: 'give every port of the container a name of its own',
      };
    }
  }
}

/** App containers share the node's ports among them; init containers have them one by one. */
export function* checkHostPorts(pod: PartlyPod): Generator<Problem> {
  const all = placedContainers(pod);
  const apps = all.filter(({ isInit }) => !isInit);
  const groups = [apps, ...all.filter(({ isInit }) => isInit).map((init) => [init])];
  for (const group of groups) {
    const ports = group.flatMap((each) => hostPortsOf(pod, each));
    for (const { path, key } of repeated(ports, (port) => port.key)) {
      yield {
        path: [...path, 'hostPort'],
        near: path,
        message: duplicateValue(key),
        hint: 'let every container listen on a port of its own',
      };
    }
  }
}

function hostPortsOf(
  { spec }: PartlyPod,
  { container, path }: Placed,
): readonly { path: Path; key: string | undefined }[] {
  return placed(container.ports, [...path, 'ports']).map(({ value, path: at }) => {
    // With the node's network, every port of the pod is one of the node.
    const hostPort = value.hostPort || (spec?.hostNetwork ? value.containerPort : undefined);
    const key = `${value.protocol ?? 'TCP'}/${value.hostIP ?? ''}/${hostPort}`;
    return { path: at, key: hostPort === undefined || hostPort === 0 ? undefined : key };
  });
}

/** With the node's network nothing can be mapped: hostPort says the same as containerPort. */
export function* checkHostNetworkPorts(pod: PartlyPod): Generator<Problem> {
  if (!pod.spec?.hostNetwork) return;
  for (const { container, path, isInit } of placedContainers(pod)) {
    if (isInit) continue;
    for (const { value, path: at } of placed(container.ports, [...path, 'ports'])) {
      if (!value.hostPort || value.containerPort === undefined) continue;
      if (value.hostPort === value.containerPort) continue;
      yield {
        path: [...at, 'hostPort'],
        message: invalidValue(value.hostPort, 'must be the same as containerPort with hostNetwork'),
        hint: 'leave hostPort out',
      };
    }
  }
}

/** resolv.conf has room for so much, and None leaves it to the pod. */
export function* checkDns({ spec }: PartlyPod): Generator<Problem> {
  const path = ['spec', 'dnsConfig'];
  const nameservers = spec?.dnsConfig?.nameservers ?? [];
  const searches = spec?.dnsConfig?.searches ?? [];
  if (spec?.dnsPolicy === 'None' && nameservers.length === 0) {
    yield {
      path: [...path, 'nameservers'],
      near: ['spec', 'dnsPolicy'],
      message: requiredValue('dnsPolicy None needs at least one nameserver'),
      hint: 'add one, such as "dnsConfig: {nameservers: [10.0.0.10]}", or leave dnsPolicy out',
    };
  }
  if (nameservers.length > 3) {
    const hint = 'keep the three that answer best';
    yield { path: [...path, 'nameservers'], message: tooMany(nameservers.length, 3), hint };
  }
  if (searches.length > 32) {
    const hint = 'remove domains, and write names in them in full';
    yield { path: [...path, 'searches'], message: tooMany(searches.length, 32), hint };
  }
  if (searches.join(' ').length > 2048) {
    yield {
      path: [...path, 'searches'],
      message: 'Too long: may not be more than 2048 characters together',
      hint: 'remove domains, and write names in them in full',
    };
  }
}

/** An override is the whole of a hostname, and the node's hostname is the node's. */
export function* checkHostname({ spec }: PartlyPod): Generator<Problem> {
  if (spec?.hostnameOverride === undefined) return;
  const path = ['spec', 'hostnameOverride'];
  const goesWithout = (field: string): Problem => ({
    path,
    message: forbidden(`it cannot be combined with ${field}: true`),
    hint: `remove hostnameOverride or ${field}`,
  });
  if (spec.hostNetwork) yield goesWithout('hostNetwork');
  if (spec.setHostnameAsFQDN) yield goesWithout('setHostnameAsFQDN');
}

const ipcSysctls = ['kernel.msg', 'kernel.sem', 'kernel.shm', 'fs.mqueue.'];

/** A kernel parameter is set once, and only in a namespace that the pod has to itself. */
export function* checkSysctls({ spec }: PartlyPod): Generator<Problem> {
  const path = ['spec', 'securityContext', 'sysctls'];
  const sysctls = placed(spec?.securityContext?.sysctls, path);
  for (const { value, path: at } of repeated(sysctls, (each) => dotted(each.value.name))) {
    yield {
      path: [...at, 'name'],
      message: duplicateValue(value.name),
      hint: 'keep one of the two; "/" and "." mean the same in a name',
    };
  }
  for (const { value, path: at } of sysctls) {
    const name = dotted(value.name) ?? '';
    if (spec?.hostNetwork && name.startsWith('net.')) {
      yield {
        path: [...at, 'name'],
        message: forbidden("it would be the node's, with hostNetwork"),
        hint: 'set it on the node, or leave hostNetwork out',
      };
    }
    if (spec?.hostIPC && ipcSysctls.some((start) => name.startsWith(start))) {
      yield {
        path: [...at, 'name'],
        message: forbidden("it would be the node's, with hostIPC"),
        hint: 'set it on the node, or leave hostIPC out',
      };
    }
  }
}

function dotted(name: string | undefined): string | undefined {
  return name?.replaceAll('/', '.');
}
