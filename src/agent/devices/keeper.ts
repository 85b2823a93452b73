/**
 * The devices of a node and who has them: what there is, who came when, what each has been given. All
 * judgement is in devices/; this class looks, remembers on disk, and tells whoever is concerned.
 *
 * Nothing in here is on the way of a pod without devices. Read next: devices/allocate.ts, who gets
 * which; devices/grant.ts, how a container gets them; health-watch.ts, how they are.
 */
import { createHash } from 'node:crypto';
import type { Assignment, Assignments, Claim, Served } from '../../devices/allocate.ts';
import { devicesIn, findAssigned, serve } from '../../devices/allocate.ts';
import type { DeviceNode } from '../../devices/cdi-spec.ts';
import { handlerOf, planGrant, wayOf } from '../../devices/grant.ts';
import type { DeviceWays, Way } from '../../devices/grant.ts';
import { judge } from '../../devices/judge.ts';
import { gpuUuidOf, membersOf } from '../../devices/inventory.ts';
import type { Device } from '../../devices/inventory.ts';
import { requestOf } from '../../devices/request.ts';
import type { DeviceRequest } from '../../devices/request.ts';
import { DeviceError } from '../../host/devices/device-error.ts';
import type { GpuReader } from '../../host/devices/read-gpus.ts';
import { discover, missingNode } from '../../host/devices/discover.ts';
import type { DeviceRoots, Inventory } from '../../host/devices/discover.ts';
import { numbersOfNodes, provideNodes } from '../../host/devices/nodes.ts';
import type { NodeOwner } from '../../host/devices/nodes.ts';
import type { Logger } from '../../log.ts';
import type { PodEvent } from '../../pod/decision.ts';
import type { DeviceGrant, DeviceView, GivenDevice } from '../../pod/devices.ts';
import { mayHaveDevices } from '../../pod/devices.ts';
import { own } from '../../pod/own.ts';
import type { Pod } from '../../pod/pod.ts';
import { podKey } from '../../pod/pod.ts';
import type { ClaimStore, SavedClaim } from './claims.ts';
import { changes, givenEvents } from './device-events.ts';

export interface KeeperParts {
  readonly roots: DeviceRoots;
  readonly ways: DeviceWays;
  readonly claims: ClaimStore;
  /** The GPUs of the driver whose tree is among the roots. */
  readonly gpus: GpuReader;
  readonly log: Logger;
}

/** How a pod's worker hears of its devices. */
export type HearDevices = (view: DeviceView, events: readonly PodEvent[]) => void;

/** A device with its users, as it is shown. */
export interface DeviceInUse {
  readonly device: Device;
  readonly fault?: string;
  readonly users: readonly { readonly pod: string; readonly containers: readonly string[] }[];
}

const nothing: DeviceRequest = { counted: [], named: [] };

interface Client {
  readonly pod: Pod;
  readonly request: DeviceRequest;
  saved: SavedClaim;
  view?: DeviceView;
  hear?: HearDevices;
}

export class DeviceKeeper {
  readonly #parts: KeeperParts;
  readonly #clients = new Map<string, Client>();
  /** By uid: what pods have whose manifest cannot be read, and whose containers may run. */
  readonly #held = new Map<string, SavedClaim>();
  #inventory: Inventory;
  /** What others have found wrong, by the UUID of a GPU. */
  #reported: ReadonlyMap<string, string> = new Map();
  /** By device: GPUs that the driver has told of, whatever it tells now. */
  readonly #seenGpus = new Map<string, string>();
  #faults: ReadonlyMap<string, string> = new Map();
  /** Faults of specifications that have been told. */
  #told: ReadonlySet<string> = new Set();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#inventory = discover(parts.roots, parts.gpus.known);
    this.#judge();
  }

  /** Where specifications are read, in rising precedence. */
  get cdiSpecDirs(): readonly string[] {
    return this.#parts.roots.cdiSpecDirs;
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  /** Whether a pod has asked for devices and is not over. */
  knows(pod: Pod): boolean {
    return this.#clients.has(pod.metadata.uid);
  }

  /** Whether a pod may have devices at all; for all others nothing is looked up. */
  mayHave(pod: Pod): boolean {
    return mayHaveDevices(pod) || this.#isNvidia(pod);
  }

  /**
   * Takes up what pods of an earlier life had, before any of them is served; of those whose manifest cannot
   * be read only the uid is known.
   */
  load(pods: readonly Pod[], isServed: (pod: Pod) => boolean, unreadable: readonly string[]): void {
    for (const uid of unreadable) {
      const saved = this.#loadClaim(uid, uid);
      if (saved?.given !== undefined) this.#held.set(uid, saved);
    }
    for (const pod of pods) {
      try {
        this.#takeUp(pod, isServed(pod));
      } catch (error) {
        // Whoever takes up the pod itself will tell; the others need not suffer from it.
        const words = 'could not find out what devices a pod has asked for';
        this.#parts.log.error({ err: error, pod: podKey(pod) }, words);
      }
    }
  }

  #takeUp(pod: Pod, isServed: boolean): void {
    const { uid } = pod.metadata;
    const request = this.#requestOf(pod);
    const saved = request && this.#loadClaim(uid, podKey(pod));
    // What others wait for is their agent's business; what they have is not there to be given.
    if (saved?.given === undefined && !isServed) return;
    if (request !== undefined && saved !== undefined)
      this.#clients.set(uid, { pod, request, saved });
  }

  /** A pod that may need devices; it hears how it stands at once, and of every change. */
  add(pod: Pod, hear: HearDevices): void {
    const { uid } = pod.metadata;
    const request = this.#requestOf(pod);
    if (request === undefined) return;
    const known = this.#clients.get(uid);
    if (known === undefined) {
      const last = Math.max(0, ...[...this.#clients.values()].map(({ saved }) => saved.arrival));
      const saved = { arrival: last + 1 };
      this.#save(pod, saved);
      this.#clients.set(uid, { pod, request, saved, hear });
    } else {
      known.hear = hear;
    }
    this.look();
  }

  /** The pod is over: whoever waits gets what it had. Doing it twice changes nothing. */
  release(uid: string): void {
    if (!this.#clients.delete(uid)) return;
    this.#parts.claims.remove(uid);
    this.look();
  }

  /**
   * Looks at the machine again, and serves whoever can be served now. What the driver has to say may take
   * time: it is asked, and taken into account when it answers.
   */
  look(): void {
    this.#look();
    void this.askDriver();
  }

  /** Resolves when it is known which GPUs there are now, or that the driver does not answer. */
  async askDriver(): Promise<void> {
    const { gpus, log } = this.#parts;
    try {
      if (await gpus.refresh()) this.#look();
    } catch (error) {
      log.error({ err: error }, 'could not ask the NVIDIA driver for its GPUs; those known stay');
    }
  }

  #look(): void {
    try {
      this.#inventory = discover(this.#parts.roots, this.#parts.gpus.known);
    } catch (error) {
      this.#parts.log.error({ err: error }, 'could not look for devices; those known stay');
    }
    this.#judge();
    this.#serve();
  }

  /** What is wrong with GPUs, by UUID, as others have found out. */
  report(faults: ReadonlyMap<string, string>): void {
    const before = JSON.stringify([...this.#reported]);
    this.#reported = faults;
    if (before !== JSON.stringify([...faults])) this.look();
  }

  /** Something about a GPU that all pods which have it, or a part of it, should hear. */
  tellUsers(gpuUuid: string, event: PodEvent): void {
    for (const { saved, view, hear } of this.#clients.values()) {
      const hasIt = this.#allOf(saved.given ?? {}).some((device) => gpuUuidOf(device) === gpuUuid);
      if (view !== undefined && hasIt) hear?.(view, [event]);
    }
  }

  list(): readonly DeviceInUse[] {
    return this.#inventory.devices.map((device) => ({
      device,
      fault: this.#faults.get(device.id),
      users: this.#claims().flatMap(({ pod, saved }) => {
        const containers = Object.entries(saved.given ?? {})
          .filter(([, given]) => this.#allOf({ given }).includes(device))
          .map(([name]) => name);
        return containers.length === 0 ? [] : [{ pod, containers }];
      }),
    }));
  }

  #claims(): readonly { readonly pod: string; readonly saved: SavedClaim }[] {
    return [
      ...[...this.#clients.values()].map(({ pod, saved }) => ({ pod: podKey(pod), saved })),
      ...[...this.#held].map(([uid, saved]) => ({ pod: uid, saved })),
    ];
  }

  /** The pods that wait for devices, first come first. */
  waiting(): readonly { readonly pod: string; readonly why: string }[] {
    return [...this.#clients.values()]
      .toSorted((a, b) => a.saved.arrival - b.saved.arrival)
      .flatMap(({ pod, view }) =>
        view?.waits === undefined ? [] : [{ pod: podKey(pod), why: view.waits }],
      );
  }

  /**
   * What a container is given now; absent if nothing. Nodes that have to be made for it are made in
   * `folder`. Throws DeviceError when a device is gone.
   */
  async grantFor(
    pod: Pod,
    container: string,
    folder: string,
    owner: NodeOwner,
  ): Promise<DeviceGrant | undefined> {
    const given = this.#waysOf(pod, container);
    const isNvidia = this.#isNvidia(pod);
    if (given.length === 0 && !isNvidia) return undefined;
    const { nodes, ...plan } = planGrant(given, isNvidia);
    const summary = await this.summaryOf(pod, container);
    return { ...plan, summary, nodes: await provideNodes(nodes, folder, owner) };
  }

  /** What a container has of devices as it is now, numbers and specifications; empty if nothing. */
  async summaryOf(pod: Pod, container: string): Promise<string> {
    const given = this.#waysOf(pod, container);
    if (given.length === 0) return '';
    const found = await numbersOfNodes(given.flatMap(({ device }) => nodesOf(device)));
    const done = given.map(({ way, device: { edits, sharedEdits } }) => [way, edits, sharedEdits]);
    const hash = createHash('sha256').update(JSON.stringify(done)).digest('hex').slice(0, 16);
    return [...found.map(({ path, device }) => `${path} ${device}`), `edits ${hash}`].join(', ');
  }

  /** Paths of nodes that containerd has to have put into a container by way of CDI. */
  cdiPathsOf(pod: Pod, container: string): readonly string[] {
    return this.#waysOf(pod, container)
      .filter(({ way }) => way === 'cdi')
      .flatMap(({ device }) => nodesOf(device))
      .map(({ path }) => path);
  }

  /** The numbers (`c 195:0`) of all devices that a pod has been given, and the GPUs among them. */
  async belongingsOf(pod: Pod): Promise<{
    readonly numbers: ReadonlySet<string>;
    readonly gpuUuids: ReadonlySet<string>;
  }> {
    const devices = this.#allOf(this.#clients.get(pod.metadata.uid)?.saved.given ?? {});
    const found = await numbersOfNodes(devices.flatMap(nodesOf));
    return {
      numbers: new Set(found.map(({ device }) => device)),
      gpuUuids: new Set(devices.flatMap((device) => gpuUuidOf(device) ?? [])),
    };
  }

  #waysOf(pod: Pod, container: string): readonly { device: Device; way: Way }[] {
    const { saved } = this.#clients.get(pod.metadata.uid) ?? {};
    return (own(saved?.given, container) ?? []).map((assigned) => {
      const device = findAssigned(assigned, this.#inventory);
      const lost = this.#lossOf(pod, assigned, device);
      if (device === undefined || lost !== undefined) {
        throw new DeviceError(`device ${assigned.id} is gone: ${lost}`, {
          where: `pod ${podKey(pod)}, container "${container}"`,
          next: 'bring its CDI specification back, or delete the pod',
        });
      }
      return { device, way: this.#wayOf(pod, device) };
    });
  }

  /** Why a device cannot be given any more as it was; without its specification it would be bare nodes. */
  #lossOf(pod: Pod, { file }: Assignment, device: Device | undefined): string | undefined {
    if (device === undefined) return 'nothing on this node defines it any more';
    if (file === undefined || device.file !== undefined) return undefined;
    // It needs none.
    if (this.#wayOf(pod, device) === 'nvidia-runtime') return undefined;
    return `no CDI specification defines it any more, as ${file} did`;
  }

  /** Devices that are in somebody's hands, and those that they stand for. */
  #allOf(given: Assignments): readonly Device[] {
    return devicesIn(given, this.#inventory).flatMap((device) => [
      device,
      ...this.#membersOf(device),
    ]);
  }

  #membersOf(device: Device): readonly Device[] {
    return membersOf(device, this.#inventory.devices);
  }

  #wayOf({ spec }: Pod, device: Device): Way {
    const { ways, roots } = this.#parts;
    return wayOf(device, handlerOf(spec), ways, roots.cdiSpecDirs);
  }

  #editedIn(pod: Pod, given: Assignments): readonly Device[] {
    const devices = new Set(devicesIn(given, this.#inventory));
    return [...devices].filter((device) => this.#wayOf(pod, device) === 'edits');
  }

  #isNvidia({ spec }: Pod): boolean {
    return this.#parts.ways.nvidiaHandlers.has(handlerOf(spec));
  }

  #requestOf(pod: Pod): DeviceRequest | undefined {
    return this.mayHave(pod) ? requestOf(pod, this.#isNvidia(pod)) : undefined;
  }

  #loadClaim(uid: string, pod: string): SavedClaim | undefined {
    try {
      return this.#parts.claims.load(uid);
    } catch (error) {
      this.#parts.log.error({ err: error, pod }, 'a claim on devices was lost');
      return undefined;
    }
  }

  #judge(): void {
    const { devices, gpus, faults } = this.#inventory;
    for (const { id, gpu } of devices) if (gpu !== undefined) this.#seenGpus.set(id, gpu.uuid);
    this.#faults = judge(devices, {
      missingNode,
      gpuOf: ({ id }) => this.#seenGpus.get(id),
      there: new Set(gpus.map(({ uuid }) => uuid)),
      isDriverSilent: this.#parts.gpus.isSilent,
      reported: this.#reported,
    });
    const now = new Set(faults.map(({ message, where }) => `${message} ${where}`));
    for (const fault of faults) {
      const isNew = !this.#told.has(`${fault.message} ${fault.where}`);
      if (isNew) this.#parts.log.warn({ err: fault }, fault.message);
    }
    this.#told = now;
  }

  #serve(): void {
    const clients = [...this.#clients.entries()];
    const claims = [
      ...clients.map(([uid, { request, saved }]): Claim => ({ uid, request, ...saved })),
      ...[...this.#held].map(([uid, saved]): Claim => ({ uid, request: nothing, ...saved })),
    ];
    const faultOf = ({ id }: Device): string | undefined => this.#faults.get(id);
    const served = serve(claims, { devices: this.#inventory.devices, faultOf });
    for (const [uid, client] of clients) {
      const one = served.get(uid);
      // A pod that is not there yet is not given anything: its worker will ask.
      if (one === undefined || client.hear === undefined) continue;
      this.#settle(client, one, client.hear);
    }
  }

  #settle(client: Client, served: Served, hear: HearDevices): void {
    const isNew = 'given' in served && client.saved.given === undefined;
    if (isNew) {
      const saved = { arrival: client.saved.arrival, given: served.given };
      // Nothing is given that is not remembered; the next look tries again.
      if (!this.#save(client.pod, saved)) {
        const waits = 'what it is given cannot be remembered: see the log of the agent';
        this.#tell(client, { waits, given: [] }, [], hear);
        return;
      }
      client.saved = saved;
    }
    const view: DeviceView =
      'given' in served
        ? { given: this.#describe(client.pod, served.given) }
        : { waits: served.waits, given: [] };
    const events = isNew ? givenEvents(served.given, this.#editedIn(client.pod, served.given)) : [];
    this.#tell(client, view, events, hear);
  }

  #tell(client: Client, view: DeviceView, events: readonly PodEvent[], hear: HearDevices): void {
    const before = client.view;
    client.view = view;
    if (JSON.stringify(view) === JSON.stringify(before)) return;
    hear(view, [...events, ...changes(before, view)]);
  }

  /** Whether it is on disk now. */
  #save(pod: Pod, saved: SavedClaim): boolean {
    try {
      this.#parts.claims.save(pod.metadata.uid, saved);
      return true;
    } catch (error) {
      this.#parts.log.error({ err: error, pod: podKey(pod) }, 'could not save a claim on devices');
      return false;
    }
  }

  #describe(pod: Pod, given: Assignments): readonly GivenDevice[] {
    return Object.entries(given).flatMap(([container, assignments]) =>
      assignments.map((assigned) => {
        const { resource, id } = assigned;
        const device = findAssigned(assigned, this.#inventory);
        const fault = this.#lossOf(pod, assigned, device) ?? this.#faults.get(device?.id ?? '');
        return { container, resource, id, ...(fault !== undefined && { fault }) };
      }),
    );
  }
}

/** Its own nodes, and those that come with any device of its specification. */
function nodesOf({ edits, sharedEdits }: Device): readonly DeviceNode[] {
  return [sharedEdits, edits].flatMap(({ deviceNodes = [] }) => deviceNodes);
}
