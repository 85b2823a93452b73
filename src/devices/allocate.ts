/**
 * Who gets which devices. Pure: the same claims and devices give the same answer.
 *
 * A device is in one pod's hands at a time. Who came first is served first: whoever waits for a kind
 * of device keeps those who came later from it, unless it asks for more than there will be.
 */
import type { Device } from './inventory.ts';
import { hasUuid, overlap } from './inventory.ts';
import { parseQualifiedName } from './names.ts';
import type { CountedRequest, DeviceRequest } from './request.ts';

/** A device in the hands of a container; `resource` is the kind that was asked for. */
export interface Assignment {
  readonly resource: string;
  /** Full name of the device: the lasting one. */
  readonly id: string;
  /** Its own nodes, by which it is known under another name, too; absent in claims of older agents. */
  readonly nodes?: readonly string[];
  /** The CDI specification that defined it; absent: none did, or an older agent has not noted it. */
  readonly file?: string;
}

/** By container. Empty containers are left out. */
export type Assignments = Readonly<Record<string, readonly Assignment[]>>;

/** A pod's place in the queue, and what it has been given. */
export interface Claim {
  readonly uid: string;
  readonly request: DeviceRequest;
  /** Who came earlier has the lower number. */
  readonly arrival: number;
  /** Absent: it waits. */
  readonly given?: Assignments;
}

/** The devices there are, and what is wrong with one of them, if anything. */
export interface Stock {
  readonly devices: readonly Device[];
  readonly faultOf: (device: Device) => string | undefined;
}

/** What became of a claim: what it has, or why it waits. */
export type Served = { readonly given: Assignments } | { readonly waits: string };

/** Serves all claims, by uid; those that have been given something keep it. */
export function serve(claims: readonly Claim[], stock: Stock): ReadonlyMap<string, Served> {
  const served = new Map<string, Served>();
  const taken = claims.flatMap(({ given }) => (given ? devicesIn(given, stock) : []));
  const waitedFor = new Set<string>();
  const reserved: Device[] = [];
  for (const claim of claims.toSorted((a, b) => a.arrival - b.arrival)) {
    if (claim.given !== undefined) {
      served.set(claim.uid, { given: claim.given });
      continue;
    }
    const { request } = claim;
    const isAhead = request.counted.some(({ kind }) => waitedFor.has(kind));
    const chosen = choose(request, stock, [...taken, ...reserved]);
    if (isAhead || 'lacks' in chosen) {
      const possible = choose(request, stock, taken);
      const why = 'lacks' in possible ? possible.lacks : 'pods that came earlier wait for the same';
      served.set(claim.uid, { waits: why });
      // One that could not be served by an idle machine would hold everybody up for ever.
      const alone = choose(request, stock, []);
      if ('lacks' in alone) continue;
      for (const { kind } of request.counted) waitedFor.add(kind);
      reserved.push(...request.named.flatMap(({ name }) => findNamed(name, stock)));
    } else {
      served.set(claim.uid, { given: chosen.given });
      taken.push(...devicesIn(chosen.given, stock));
    }
  }
  return served;
}

/** The device of a name, whichever of its names that is. */
export function findDevice(name: string, { devices }: Pick<Stock, 'devices'>): Device | undefined {
  return devices.find(({ names }) => names.includes(name));
}

/**
 * The device that was assigned, which a new specification may call otherwise; absent: none defines it. One
 * with a UUID is that one and no other: after a boot another one can have its nodes.
 */
export function findAssigned(
  { resource, id, nodes = [] }: Assignment,
  stock: Pick<Stock, 'devices'>,
): Device | undefined {
  const found = findDevice(id, stock);
  if (found !== undefined || nodes.length === 0 || hasUuid(id)) return found;
  const isSame = (one: Device): boolean =>
    one.kind === resource && new Set([...one.nodes, ...nodes]).size === nodes.length;
  return stock.devices.find((one) => one.nodes.length === nodes.length && isSame(one));
}

/**
 * All devices that are in somebody's hands. One that nothing defines any more is still there, and so is
 * whoever uses it: what is known of it stands for it, so that nobody else gets its nodes.
 */
export function devicesIn(given: Assignments, stock: Pick<Stock, 'devices'>): readonly Device[] {
  return Object.values(given)
    .flat()
    .map((one) => findAssigned(one, stock) ?? undefinedDevice(one));
}

function undefinedDevice({ resource, id, nodes = [] }: Assignment): Device {
  const edits = { deviceNodes: nodes.map((path) => ({ path })) };
  return { id, kind: resource, names: [id], nodes, isGroup: false, edits, sharedEdits: {} };
}

function choose(
  request: DeviceRequest,
  stock: Stock,
  taken: readonly Device[],
): { readonly given: Assignments } | { readonly lacks: string } {
  const given = new Map<string, Assignment[]>();
  const chosen: Device[] = [];
  const give = (container: string, resource: string, { id, nodes, file }: Device): void => {
    const all = given.get(container) ?? [];
    if (all.some((one) => one.id === id)) return;
    given.set(container, [...all, { resource, id, nodes, ...(file !== undefined && { file }) }]);
  };
  // Those with a name first: a number can be made up of others.
  for (const { name, containers } of request.named) {
    const found = findNamed(name, stock);
    const lacks = lackOfNamed(name, found, stock, taken);
    if (lacks !== undefined) return { lacks };
    for (const device of found) {
      chosen.push(device);
      for (const container of containers) give(container, device.kind, device);
    }
  }
  for (const counted of request.counted) {
    const free = freeOf(counted.kind, stock, [...taken, ...chosen]);
    const picked = disjoint(free).slice(0, counted.count);
    if (picked.length < counted.count) return { lacks: lackOf(counted, picked.length, stock) };
    chosen.push(...picked);
    for (const [container, shares] of Object.entries(counted.shares)) {
      for (const index of shares) {
        const device = picked[index];
        if (device !== undefined) give(container, counted.kind, device);
      }
    }
  }
  return { given: Object.fromEntries(given) };
}

/** `nvidia.com/gpu=all` means them all, even where no specification has that name. */
function findNamed(name: string, stock: Stock): readonly Device[] {
  const found = findDevice(name, stock);
  if (found !== undefined) return [found];
  const { kind, name: own } = parseQualifiedName(name) ?? {};
  return own === 'all' ? stock.devices.filter((one) => one.kind === kind && !one.isGroup) : [];
}

function lackOfNamed(
  name: string,
  found: readonly Device[],
  { faultOf }: Stock,
  taken: readonly Device[],
): string | undefined {
  if (found.length === 0) return `there is no device ${name} on this node`;
  for (const device of found) {
    const fault = faultOf(device);
    if (fault !== undefined) return `device ${name} is unhealthy: ${fault}`;
    if (taken.some((one) => overlap(one, device))) return `device ${name} is in use`;
  }
  return undefined;
}

function freeOf(
  kind: string,
  { devices, faultOf }: Stock,
  taken: readonly Device[],
): readonly Device[] {
  return devices.filter(
    (device) =>
      device.kind === kind &&
      !device.isGroup &&
      faultOf(device) === undefined &&
      !taken.some((one) => overlap(one, device)),
  );
}

/** In their order, without those that overlap one before them. */
function disjoint(devices: readonly Device[]): readonly Device[] {
  return devices.reduce<readonly Device[]>(
    (kept, device) => (kept.some((one) => overlap(one, device)) ? kept : [...kept, device]),
    [],
  );
}

function lackOf(
  { kind, count }: CountedRequest,
  free: number,
  { devices, faultOf }: Stock,
): string {
  const all = disjoint(devices.filter((one) => one.kind === kind && !one.isGroup));
  if (all.length === 0) return `Insufficient ${kind}: there is none on this node`;
  const faulty = all.filter((one) => faultOf(one) !== undefined).length;
  const unhealthy = faulty === 0 ? '' : `, ${faulty} unhealthy`;
  return `Insufficient ${kind}: ${count} asked for, ${free} of ${all.length} free${unhealthy}`;
}
