/**
 * What a client asks before anything else: who is there, in what version, with which resources.
 */
import { arch, platform, version as nodeVersion } from 'node:process';
import { objectKinds, objectResources, objectShortNames } from '../pod/objects.ts';
import { sendJson, sendText } from './call.ts';
import type { Call } from './call.ts';

/** The Kubernetes release whose pods this API speaks. */
export const kubernetesVersion = { major: '1', minor: '36' } as const;

const objectVerbs = ['create', 'delete', 'get', 'list', 'patch', 'update'];

/** GET /version. */
export function sendVersion(call: Call, version: string): void {
  sendJson(call, 200, {
    ...kubernetesVersion,
    gitVersion: `v${kubernetesVersion.major}.${kubernetesVersion.minor}.0-reprise.${version}`,
    goVersion: `node ${nodeVersion}`,
    platform: `${platform}/${arch === 'x64' ? 'amd64' : arch}`,
  });
}

/** GET /healthz, /livez, /readyz: whoever answers is well. */
export function sendHealth(call: Call): void {
  sendText(call, 'ok');
}

/** GET /api. */
export function sendApiVersions(call: Call): void {
  sendJson(call, 200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] });
}

/** GET /apis: there are no API groups. */
export function sendApiGroups(call: Call): void {
  sendJson(call, 200, { kind: 'APIGroupList', apiVersion: 'v1', groups: [] });
}

/** GET /api/v1. */
export function sendResources(call: Call): void {
  const resource = (name: string, kind: string, verbs: string[], rest: object = {}): object => ({
    name,
    singularName: name.includes('/') ? '' : kind.toLowerCase(),
    namespaced: true,
    kind,
    verbs,
    ...rest,
  });
  sendJson(call, 200, {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [
      ...objectKinds.map((kind) =>
        resource(objectResources[kind], kind, objectVerbs, { shortNames: objectShortNames[kind] }),
      ),
      resource('devices', 'Device', ['list'], { namespaced: false }),
      resource('events', 'Event', ['get', 'list', 'watch'], { shortNames: ['ev'] }),
      resource('pods', 'Pod', ['create', 'delete', 'get', 'list', 'watch'], {
        shortNames: ['po'],
        categories: ['all'],
      }),
      resource('pods/ephemeralcontainers', 'Pod', ['get', 'patch', 'update']),
      resource('pods/exec', 'PodExecOptions', ['create', 'get']),
      resource('pods/log', 'Pod', ['get']),
      resource('pods/restart', 'Pod', ['create']),
      resource('pods/restarts', 'RestartList', ['get']),
      resource('pods/status', 'Pod', ['get', 'patch', 'update']),
    ],
  });
}
