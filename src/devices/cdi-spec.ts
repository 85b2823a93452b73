/**
 * A CDI specification: what a file may say, checked as strictly as containerd checks it. A file with
 * any fault counts for nothing there, so it counts for nothing here.
 *
 * Source: the Container Device Interface's SPEC.md and specs-go/version.go.
 */
import { z } from 'zod';
import { RepriseError } from '../errors.ts';
import { isDeviceName, kindFault } from './names.ts';

/** A specification file cannot be used; the devices in it do not exist. */
export class CdiSpecError extends RepriseError {}

/** Every version there is, oldest first. */
const versions = ['0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0'] as const;

const uint32 = z.int().min(0).max(0xffff_ffff);

const deviceNode = z.strictObject({
  /** In the container. */
  path: z.string().min(1),
  /** On the host; absent: the same path. */
  hostPath: z.string().optional(),
  type: z.enum(['b', 'c', 'u', 'p']).optional(),
  major: z.int().optional(),
  minor: z.int().optional(),
  fileMode: uint32.optional(),
  permissions: z
    .string()
    .regex(/^(?:[rwm]{0,3}|none)$/, 'must be made of r, w and m')
    .optional(),
  uid: uint32.optional(),
  gid: uint32.optional(),
});

const mount = z.strictObject({
  hostPath: z.string().min(1),
  containerPath: z.string().min(1),
  options: z.array(z.string()).optional(),
  type: z.string().optional(),
});

const hook = z.strictObject({
  hookName: z.enum([
    'prestart',
    'createRuntime',
    'createContainer',
    'startContainer',
    'poststart',
    'poststop',
  ]),
  path: z.string().startsWith('/', 'must be an absolute path'),
  args: z.array(z.string()).optional(),
  env: z.array(z.string()).optional(),
  timeout: z.int().optional(),
});

const intelRdt = z.strictObject({
  closID: z.string().optional(),
  l3CacheSchema: z.string().optional(),
  memBwSchema: z.string().optional(),
  enableCMT: z.boolean().optional(),
  enableMBM: z.boolean().optional(),
  schemata: z.array(z.string()).optional(),
  enableMonitoring: z.boolean().optional(),
});

const containerEdits = z.strictObject({
  env: z.array(z.string().regex(/^[^=]+=/, 'must be NAME=VALUE')).optional(),
  deviceNodes: z.array(deviceNode).optional(),
  mounts: z.array(mount).optional(),
  hooks: z.array(hook).optional(),
  additionalGids: z.array(uint32).optional(),
  intelRdt: intelRdt.optional(),
  netDevices: z
    .array(z.strictObject({ hostInterfaceName: z.string().min(1), name: z.string().min(1) }))
    .optional(),
});

const annotations = z.record(z.string(), z.string()).optional();

const cdiSpec = z.strictObject({
  cdiVersion: z.enum(versions, { error: `must be one of ${versions.join(', ')}` }),
  kind: z.string(),
  annotations,
  devices: z
    .array(z.strictObject({ name: z.string(), annotations, containerEdits }))
    .min(1, 'must name at least one device'),
  containerEdits: containerEdits.optional(),
});

export type CdiSpec = z.infer<typeof cdiSpec>;
export type CdiDevice = CdiSpec['devices'][number];
/** What a device asks to be done to a container. */
export type Edits = z.infer<typeof containerEdits>;
export type DeviceNode = z.infer<typeof deviceNode>;

/** Reads the content of a file, as plain data; throws CdiSpecError with every fault in it. */
export function parseCdiSpec(value: unknown, file: string): CdiSpec {
  const parsed = cdiSpec.safeParse(value);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${pathText(path)}${message}`);
    throw fault(faults.join('; '), file);
  }
  const spec = parsed.data;
  const wrong = kindFault(spec.kind) ?? faultInDevices(spec);
  if (wrong !== undefined) throw fault(wrong, file);
  const needed = neededVersion(spec);
  if (versions.indexOf(spec.cdiVersion) < versions.indexOf(needed)) {
    throw fault(`cdiVersion ${spec.cdiVersion} is too low: what it uses needs ${needed}`, file);
  }
  return spec;
}

function fault(what: string, file: string): CdiSpecError {
  return new CdiSpecError(`a CDI specification cannot be used: ${what}`, {
    where: file,
    next: 'correct it or make it again (for NVIDIA: nvidia-ctk cdi generate); other files still count',
  });
}

function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `;
}

function faultInDevices({ devices }: CdiSpec): string | undefined {
  const names = devices.map(({ name }) => name);
  const odd = names.find((name) => !isDeviceName(name));
  if (odd !== undefined) return `"${odd}" cannot name a device`;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `device "${twice}" is there twice`;
  const empty = devices.find((device) => Object.keys(device.containerEdits).length === 0);
  return empty && `device "${empty.name}" has no edits`;
}

/** The lowest version that has everything a specification makes use of. */
function neededVersion({ kind, annotations: own, devices, containerEdits: shared }: CdiSpec) {
  const edits = [shared ?? {}, ...devices.map((device) => device.containerEdits)];
  const some = (holds: (edit: Edits) => unknown): boolean => edits.some((edit) => holds(edit));
  if (some(({ netDevices, intelRdt: rdt }) => netDevices?.length ?? usesNewRdt(rdt))) {
    return '1.1.0';
  }
  if (some(({ intelRdt: rdt, additionalGids }) => rdt ?? additionalGids?.length)) return '0.7.0';
  const isAnnotated = [own, ...devices.map((device) => device.annotations)].some(
    (map) => Object.keys(map ?? {}).length > 0,
  );
  if (isAnnotated || kind.split('/')[1]?.includes('.')) return '0.6.0';
  const startsWithDigit = devices.some(({ name }) => /^\d/.test(name));
  if (startsWithDigit || some(({ deviceNodes = [] }) => deviceNodes.some((one) => one.hostPath))) {
    return '0.5.0';
  }
  return some(({ mounts = [] }) => mounts.some(({ type }) => type)) ? '0.4.0' : '0.3.0';
}

function usesNewRdt(rdt: Edits['intelRdt']): boolean {
  return rdt?.schemata !== undefined || rdt?.enableMonitoring !== undefined;
}
