/**
 * What the NVIDIA driver tells of its GPUs in /proc, and the devices that can be made out of that
 * where no CDI specification is. Pure.
 *
 * A GPU's index, its minor and its UUID are three different things: only the UUID is the same after
 * the next boot, so it is the name; the minor leads to its node and is looked up each time.
 */
import type { CdiSpec } from './cdi-spec.ts';

/** One GPU as /proc/driver/nvidia/gpus/BUS/information has it. */
export interface Gpu {
  /** PCI address: `0000:06:00.0`. */
  readonly busId: string;
  /** `GPU-...` */
  readonly uuid: string;
  /** N of /dev/nvidiaN. */
  readonly minor: number;
  readonly model: string;
  /** Whether it is cut into MIG slices: as a whole it cannot be used then. */
  readonly isSliced: boolean;
}

/** Reads an `information` file; absent if it lacks UUID or minor, as for a GPU that was excluded. */
export function parseGpu(busId: string, text: string, isSliced: boolean): Gpu | undefined {
  const fields = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()]];
    }),
  );
  const uuid = fields.get('GPU UUID') ?? '';
  const minor = fields.get('Device Minor') ?? '';
  const isUsable = /^GPU-[0-9A-Za-z-]+$/.test(uuid) && /^\d+$/.test(minor);
  if (!isUsable || fields.get('GPU Excluded') === 'Yes') return undefined;
  return {
    busId: plainBusId(busId),
    uuid,
    minor: Number(minor),
    model: fields.get('Model') ?? 'unknown model',
    isSliced,
  };
}

/** nvidia-smi writes `00000000:06:00.0` in capitals, the kernel `0000:06:00.0`. */
export function plainBusId(text: string): string {
  const [domain = '', ...rest] = text.trim().toLowerCase().split(':');
  return [domain.slice(-4), ...rest].join(':');
}

/** The kind of NVIDIA's GPUs, as nvidia-ctk and the device plugin name it. */
export const gpuKind = 'nvidia.com/gpu';

/** Nodes that every GPU container gets; those that are not there are left out. */
export const controlNodes = ['nvidiactl', 'nvidia-uvm', 'nvidia-uvm-tools', 'nvidia-modeset'];

/**
 * A specification made of nodes alone: each GPU by UUID and by position. `there` holds those of
 * controlNodes that exist. No libraries: the image has to bring those of exactly the driver's version.
 */
export function specOfGpus(
  gpus: readonly Gpu[],
  there: readonly string[],
  devDirectory: string,
): CdiSpec | undefined {
  const whole = gpus
    .filter(({ isSliced }) => !isSliced)
    .toSorted((a, b) => (a.busId < b.busId ? -1 : 1));
  if (whole.length === 0) return undefined;
  const node = (name: string) => ({
    path: `/dev/${name}`,
    hostPath: `${devDirectory}/${name}`,
    permissions: 'rw',
  });
  return {
    cdiVersion: '0.5.0',
    kind: gpuKind,
    devices: whole.flatMap(({ uuid, minor }, index) =>
      [uuid, String(index)].map((name) => ({
        name,
        containerEdits: { deviceNodes: [node(`nvidia${minor}`)] },
      })),
    ),
    containerEdits: { deviceNodes: there.map(node) },
  };
}
