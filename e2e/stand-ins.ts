/**
 * Devices for machines that have none: real character devices by mknod with numbers that drivers of this
 * kernel have, CDI specifications, an nvidia-smi, and what the NVIDIA driver would tell in /proc.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** Drivers whose devices anybody may open, and that containers are not allowed by default. */
const drivers = ['fuse', 'loop-control', 'vsock', 'hw_random', 'kvm', 'btrfs-control', 'autofs'];

/** A stand-in for a device: its node on the host, and its numbers as `stat` prints them in a container. */
export interface StandIn {
  readonly node: string;
  readonly minor: number;
  /** `a:b7`, in hexadecimal. */
  readonly hex: string;
}

export class StandIns {
  readonly dir: string;
  readonly cdiDir: string;
  readonly smi: string;
  readonly kernelLog: string;
  readonly driverDir: string;
  readonly devices: readonly StandIn[];

  private constructor(dir: string, cdiDir: string, devices: readonly StandIn[]) {
    this.dir = dir;
    this.cdiDir = cdiDir;
    this.smi = path.join(dir, 'nvidia-smi');
    this.kernelLog = path.join(dir, 'kmsg');
    this.driverDir = path.join(dir, 'driver');
    this.devices = devices;
  }

  /** Makes `count` devices, all of different drivers. */
  static async make(dir: string, cdiDir: string, count: number): Promise<StandIns> {
    await fs.mkdir(path.join(dir, 'dev'), { recursive: true });
    const misc = (await fs.readFile('/proc/misc', 'utf8')).split('\n').map((l) => l.trim());
    const minors = drivers.flatMap((name) => {
      const row = misc.find((line) => line.split(/\s+/)[1] === name);
      return row === undefined ? [] : [Number(row.split(/\s+/)[0])];
    });
    if (minors.length < count) throw new Error(`this kernel has only ${minors.length} drivers`);
    const devices = minors.slice(0, count).map((minor, index) => ({
      node: path.join(dir, 'dev', `nvidia${index}`),
      minor,
      hex: `a:${minor.toString(16)}`,
    }));
    const made = new StandIns(dir, cdiDir, devices);
    for (const device of devices) await made.makeNode(device);
    await fs.writeFile(made.kernelLog, '');
    await made.answer('');
    return made;
  }

  /** The options that make an agent look here and nowhere else. */
  get options(): readonly string[] {
    return [
      ...['--cdi-spec-dirs', this.cdiDir],
      ...['--nvidia-smi', this.smi],
      ...['--nvidia-driver-dir', this.driverDir],
      ...['--dev-dir', path.join(this.dir, 'dev')],
      ...['--kernel-log', this.kernelLog],
      ...['--device-check-period', '200ms'],
    ];
  }

  async makeNode({ node, minor }: StandIn): Promise<void> {
    await execa('mknod', ['-m', '666', node, 'c', '10', String(minor)]);
  }

  /** Writes a specification down, under a name that is not read before it is whole. */
  async spec(file: string, content: unknown): Promise<void> {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const place = path.join(this.cdiDir, file);
    await fs.writeFile(`${place}.new`, text);
    await fs.rename(`${place}.new`, place);
  }

  /** Each device twice, by position and by UUID, as nvidia-ctk has it; more edits for all. */
  async gpus(kind: string, shared: object = {}): Promise<void> {
    await this.spec(`${kind.replace('/', '-')}.json`, {
      cdiVersion: '0.7.0',
      kind,
      containerEdits: { env: ['STAND_IN=yes'], ...shared },
      devices: this.devices.flatMap(({ node }, index) =>
        [String(index), `GPU-${index}`].map((name) => ({
          name,
          containerEdits: {
            deviceNodes: [{ path: `/dev/nvidia${index}`, hostPath: node, permissions: 'rw' }],
          },
        })),
      ),
    });
  }

  /** What the driver tells of its GPUs. */
  async driver(): Promise<void> {
    for (const index of this.devices.keys()) {
      const folder = path.join(this.driverDir, 'gpus', `0000:0${index}:00.0`);
      await fs.mkdir(folder, { recursive: true });
      const text = `Model: \t\t Stand-in\nGPU UUID: \t GPU-${index}\nDevice Minor: \t ${index}\n`;
      await fs.writeFile(path.join(folder, 'information'), text);
    }
  }

  /** What nvidia-smi does: lines of shell; `healthy` and `processes` come in their places. */
  async answer(script: string, processes: readonly string[] = []): Promise<void> {
    const rows = this.devices.map((_, index) => `GPU-${index}, 00000000:0${index}:00.0, None`);
    const text = `#!/bin/sh
case "$1" in
--query-compute-apps=*) printf '%s\\n' ${processes.map((one) => `'${one}'`).join(' ')}; exit 0 ;;
--query-gpu=uuid,pci.bus_id,gpu_recovery_action) ;;
--query-gpu=*) field=\${1##*,}; echo "Field \\"$field\\" is not a valid field to query."; exit 2 ;;
esac
${script}
cat <<END
${rows.join('\n')}
END
`;
    await fs.writeFile(`${this.smi}.new`, text, { mode: 0o755 });
    await fs.rename(`${this.smi}.new`, this.smi);
  }
}
