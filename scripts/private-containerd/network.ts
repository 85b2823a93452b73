/**
 * The pod network of a private containerd on the host's side: made before the daemon starts, and
 * taken away without a trace, whether or not the CNI plugins had a chance to do it themselves.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { RepriseError } from '../../src/errors.ts';
import { listFolder, removeIfEmpty } from './folder.ts';
import type { Instance } from './instance.ts';
import { candidateSubnet, overlaps, subnetAt, type Subnet } from './subnet.ts';

const TRIES = 64;

/** Makes the bridge with an address, which also claims the subnet; a bridge left as it is counts. */
export async function makeBridge({ dir, network }: Instance): Promise<Subnet> {
  const existing = await subnetOf(network);
  if (existing) return existing;

  await removeLink(network);
  await ip('link', 'add', network, 'type', 'bridge');
  await ip('link', 'set', network, 'up');
  for (let round = 0; round < TRIES; round += 1) {
    const subnet = candidateSubnet(dir, round);
    if (await isTaken(subnet, network)) continue;
    await ip('address', 'add', `${subnet.gateway}/24`, 'dev', network);
    // Another instance may have looked at the same moment; then both try their next one.
    if (!(await isTaken(subnet, network))) return subnet;
    await ip('address', 'del', `${subnet.gateway}/24`, 'dev', network);
  }
  await removeLink(network);
  throw new RepriseError('no free subnet was found for the pods', {
    where: '10.208.0.0/12',
    next: 'stop private containerds that are not needed any more, or free a part of this range',
  });
}

/** The interfaces of this instance on the host: the bridge and the pods' ends attached to it. */
export async function findLinks({ network }: Instance): Promise<string[]> {
  const attached = await listFolder(join('/sys/class/net', network, 'brif'));
  const bridge = (await listFolder('/sys/class/net')).filter((name) => name === network);
  return [...attached, ...bridge];
}

/** Takes away links, rules and records of this instance's pods; nothing may run in them any more. */
export async function removeNetwork(instance: Instance, ids: ReadonlySet<string>): Promise<void> {
  for (const link of await findLinks(instance)) await removeLink(link);
  await removeRules(instance);
  for (const record of await findRecords(instance, ids)) await rm(record, { force: true });
  for (const folder of ['/var/lib/cni/results', '/var/lib/cni']) await removeIfEmpty(folder);
}

/**
 * The CNI library's records of this network and of these sandboxes' loopback; the folder of the
 * records cannot be chosen in containerd.
 */
export async function findRecords(
  { network }: Instance,
  ids: ReadonlySet<string>,
): Promise<string[]> {
  const ofLoopback = (name: string) =>
    ids.has(/^cni-loopback-([0-9a-f]+)-lo$/.exec(name)?.[1] ?? '');
  const names = await listFolder('/var/lib/cni/results');
  return names
    .filter((name) => name.startsWith(`${network}-`) || ofLoopback(name))
    .map((name) => join('/var/lib/cni/results', name));
}

/** The rules in the nat table that the CNI plugins made for this network, as iptables prints them. */
export async function findRules({ network }: Instance): Promise<string[]> {
  return (await natRules()).filter((rule) => rule.includes(`name: \\"${network}\\"`));
}

async function removeRules(instance: Instance): Promise<void> {
  const rules = await findRules(instance);
  const chains = rules.flatMap((rule) => /-j (CNI-[^ ]+)/.exec(rule)?.[1] ?? []);
  await deleteRules(rules);
  await deleteChains(new Set(chains));

  await removeSharedChains();
}

/**
 * The port forwarding plugin leaves its chains behind for the next pod, of whatever network. All of
 * them go at once or none does: a chain that somebody has begun to use in the meantime is not empty, and
 * what is not empty cannot be deleted.
 */
async function removeSharedChains(): Promise<void> {
  const shared = await sharedRules();
  const chains = shared.filter((rule) => rule.startsWith('-N ')).map(nameOf);
  if (chains.length === 0) return;
  if (shared.some((rule) => rule.startsWith('-A CNI-HOSTPORT-DNAT '))) return;
  const changes = [
    ...shared.filter((rule) => rule.startsWith('-A ')).map((rule) => rule.replace('-A', '-D')),
    ...chains.map((chain) => `-X ${chain}`),
  ];
  const { failed, stderr } = await execa('iptables-restore', ['-w', '--noflush'], {
    input: ['*nat', ...changes, 'COMMIT', ''].join('\n'),
    reject: false,
  });
  if (!failed) return;
  // Somebody was faster, with a rule or with the removal. Nobody was: then it is a fault of its own.
  if ((await sharedRules()).join('\n') === shared.join('\n')) throw new Error(stderr);
  await removeSharedChains();
}

async function sharedRules(): Promise<string[]> {
  return (await natRules()).filter((rule) => rule.includes('CNI-HOSTPORT-'));
}

async function natRules(): Promise<string[]> {
  const result = await execa('iptables', ['-w', '-t', 'nat', '-S'], { reject: false });
  return result.failed ? [] : result.stdout.split('\n'); // Without iptables nobody made rules.
}

async function deleteRules(rules: readonly string[]): Promise<void> {
  for (const rule of rules) await nat(['-D', ...splitRule(rule).slice(1)]);
}

async function deleteChains(chains: Iterable<string>): Promise<void> {
  for (const chain of chains) {
    await nat(['-F', chain]);
    await nat(['-X', chain]);
  }
}

/** `-N NAME` makes a chain. */
function nameOf(rule: string): string {
  return rule.split(' ')[1] ?? '';
}

/** Splits a rule as iptables prints it: words, some in double quotes with escapes. */
function splitRule(rule: string): string[] {
  return [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, word]) => word ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'),
  );
}

async function nat(args: string[]): Promise<void> {
  await execa('iptables', ['-w', '-t', 'nat', ...args]);
}

interface Address {
  readonly ifname: string;
  readonly addr_info: readonly { family: string; local?: string; prefixlen?: number }[];
}

async function subnetOf(link: string): Promise<Subnet | undefined> {
  const owner = (await addresses()).find(({ ifname }) => ifname === link);
  const gateway = owner?.addr_info.find(({ family }) => family === 'inet')?.local;
  return gateway === undefined ? undefined : subnetAt(gateway);
}

async function isTaken({ cidr }: Subnet, exceptLink: string): Promise<boolean> {
  const own = (await addresses())
    .filter(({ ifname }) => ifname !== exceptLink)
    .flatMap(({ addr_info }) => addr_info)
    .map(({ local, prefixlen }) => `${local ?? '0.0.0.0'}/${prefixlen ?? 32}`);
  const routed = (await ipJson<{ dst: string; dev?: string }>('route', 'show', 'table', 'all'))
    .filter(({ dst, dev }) => dev !== exceptLink && /^\d+\./.test(dst))
    .map(({ dst }) => dst);
  return [...own, ...routed].some((range) => overlaps(range, cidr));
}

async function addresses(): Promise<Address[]> {
  return ipJson<Address>('address', 'show');
}

async function ipJson<Row>(...args: string[]): Promise<Row[]> {
  const { stdout } = await execa('ip', ['-4', '-json', ...args]);
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Row[]);
}

async function ip(...args: string[]): Promise<void> {
  await execa('ip', args);
}

/** A pod's end goes by itself once its namespace is gone, perhaps just now: gone is fine. */
async function removeLink(link: string): Promise<void> {
  try {
    await ip('link', 'del', link);
  } catch (error) {
    if ((await listFolder('/sys/class/net')).includes(link)) throw error;
  }
}
