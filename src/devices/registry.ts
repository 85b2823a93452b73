/**
 * Many specification files -> which devices there are, by full name: a later directory wins over an
 * earlier one, and a device that is there twice in one directory is nobody's.
 *
 * Source: the CDI library's pkg/cdi/cache.go, whose outcome containerd goes by.
 */
import { CdiSpecError } from './cdi-spec.ts';
import type { CdiDevice, CdiSpec } from './cdi-spec.ts';
import { qualified } from './names.ts';

/** A specification with where it was found. */
export interface FoundSpec {
  readonly file: string;
  /** Index of its directory among all: the higher one wins. */
  readonly priority: number;
  readonly spec: CdiSpec;
}

/** A device as a specification defines it. */
export interface DefinedDevice {
  readonly name: string;
  readonly device: CdiDevice;
  readonly from: FoundSpec;
}

/** The devices that can be had, by full name, and what keeps others from being had. */
export interface Registry {
  readonly devices: ReadonlyMap<string, DefinedDevice>;
  readonly faults: readonly CdiSpecError[];
}

/** Resolves precedence and conflicts. */
export function registryOf(specs: readonly FoundSpec[]): Registry {
  const devices = new Map<string, DefinedDevice>();
  const faults: CdiSpecError[] = [];
  const conflicting = new Set<string>();
  for (const from of specs.toSorted((a, b) => a.priority - b.priority)) {
    for (const device of from.spec.devices) {
      const name = qualified({ kind: from.spec.kind, name: device.name });
      const known = devices.get(name);
      if (known?.from.priority === from.priority) {
        conflicting.add(name);
        faults.push(conflict(name, known.from.file, from.file));
      } else {
        devices.set(name, { name, device, from });
      }
    }
  }
  for (const name of conflicting) devices.delete(name);
  return { devices, faults };
}

function conflict(name: string, first: string, second: string): CdiSpecError {
  return new CdiSpecError(`device ${name} is defined twice, so it cannot be had at all`, {
    where: `${first} and ${second}`,
    next: 'remove one of the files, or move the one that is to win to the later directory',
  });
}
