// A machine that scripts/provision made ready: the service hosts pods, systemd makes their cgroups,
// and the kernel keeps what these promise. Looked at from the host and from inside a container.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { connectAgent } from '../../src/api/client.ts';
import type { Client } from '../../src/api/client.ts';
import { NotFoundError } from '../../src/errors.ts';
import type { V1Pod } from '../../src/pod/pod-status.ts';
import { container, initContainer, pod, restartAllOn, sidecar } from '../manifests.ts';
import type { ManifestOf } from '../manifests.ts';
import { countsOf, generationOf, isReady, patience, statusOf, until } from '../node.ts';

const MIB = 1024 ** 2;
const agent: Client = connectAgent('/run/reprise/reprise.sock');

async function apply(manifest: ManifestOf): Promise<void> {
  await agent.createPod('default', JSON.stringify(manifest), patience());
}

async function podThat(name: string, is: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod> {
  return await until(`pod ${name} ${is}`, async () => {
    const found = await agent.getPod('default', name, patience());
    return holds(found) && found;
  });
}

async function deleted(name: string): Promise<void> {
  await agent.deletePod('default', name, { graceSeconds: 0, force: false }, patience());
  await until(`pod ${name} is gone`, async () => {
    try {
      await agent.getPod('default', name, patience());
      return false;
    } catch (error) {
      if (error instanceof NotFoundError) return true;
      throw error;
    }
  });
}

/** The shared volume of the pod on this machine. */
function volume({ metadata }: V1Pod): string {
  const folder = 'volumes/kubernetes.io~empty-dir/shared';
  return path.join('/var/lib/reprise/pods', metadata.uid, folder);
}

async function tell(of: V1Pod, name: string, code: number): Promise<void> {
  const file = path.join(volume(of), `exit-${name}`);
  await fs.writeFile(`${file}.new`, String(code));
  await fs.rename(`${file}.new`, file);
}

/** Host pid of a container's first process. */
async function pidOf(of: V1Pod, name: string): Promise<number> {
  const id = statusOf(of, name).containerID?.replace('containerd://', '') ?? 'none';
  const { stdout } = await execa('ctr', ['-n', 'k8s.io', 'tasks', 'ls']);
  const row = stdout.split('\n').find((line) => line.startsWith(id));
  return Number(row?.split(/\s+/)[1]);
}

/** Where the only hierarchy has a process. */
async function cgroupOf(pid: number): Promise<string> {
  const text = await fs.readFile(`/proc/${pid}/cgroup`, 'utf8');
  return text.trim().replace(/^0::/, '');
}

/** The scope of the container that a process belongs to; crun puts it one level deeper. */
async function scopeOf(pid: number): Promise<string> {
  return (await cgroupOf(pid)).replace(/(\.scope)\/.*$/, '$1');
}

async function read(cgroup: string, file: string): Promise<string> {
  return (await fs.readFile(path.join('/sys/fs/cgroup', cgroup, file), 'utf8')).trim();
}

async function isThere(cgroup: string): Promise<boolean> {
  return await fs.access(path.join('/sys/fs/cgroup', cgroup)).then(
    () => true,
    () => false,
  );
}

const ready =
  (generation: number) =>
  (one: V1Pod): boolean =>
    isReady(one) && generationOf(one) === generation;

test.serial(
  'a pod has a slice, its containers have scopes, and all have their limits',
  async (t) => {
    const limits = { cpu: '500m', memory: '64Mi' };
    const requests = { cpu: '250m', memory: '32Mi' };
    await apply(
      pod(
        'limited',
        [initContainer('setup', undefined, { resources: { limits, requests } })],
        [container('main', undefined, { resources: { limits, requests } })],
      ),
    );
    const one = await podThat('limited', 'is ready', ready(0));
    const scope = await scopeOf(await pidOf(one, 'main'));
    const slice = path.dirname(scope);
    const uid = one.metadata.uid.replaceAll('-', '_');
    t.is(slice, `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid}.slice`);
    t.regex(path.basename(scope), /^cri-containerd-[0-9a-f]{64}\.scope$/);

    t.is(await read(scope, 'memory.max'), String(64 * MIB));
    t.is(await read(scope, 'cpu.max'), '50000 100000');
    t.is(await read(slice, 'memory.max'), String(64 * MIB), 'the pod as a whole');
    t.is(await read(slice, 'cpu.max'), '50000 100000');
    t.is(await read(slice, 'cpu.weight'), await read(scope, 'cpu.weight'));
    // No other Burstable pod is there, so all of them together have what this one has.
    const weight = await read(slice, 'cpu.weight');
    await until('the class has its share', async () => {
      return (await read(path.dirname(slice), 'cpu.weight')) === weight;
    });

    await deleted('limited');
    await until('the slice is gone', async () => !(await isThere(slice)));
  },
);

test.serial(
  'a restart in place keeps sandbox, address and slice, and kills what ran',
  async (t) => {
    await apply(
      pod(
        'again',
        [initContainer('setup'), sidecar('watcher', restartAllOn(88))],
        // A child that has left its session, and ignores what a polite end would send.
        [
          container(
            'main',
            `trap '' TERM; setsid sh -c "trap '' TERM; sleep 100000" & echo $NAME started >> /shared/story; wait`,
          ),
        ],
      ),
    );
    const first = await podThat('again', 'is ready', ready(0));
    const story = async (): Promise<string> =>
      await fs.readFile(path.join(volume(first), 'story'), 'utf8').catch(() => '');
    await until('all have told', async () => (await story()).split('\n').length > 3);
    const pid = await pidOf(first, 'main');
    const slice = path.dirname(await scopeOf(pid));
    const sandboxes = async (): Promise<string> =>
      (
        await execa('ctr', [
          ...['-n', 'k8s.io', 'containers', 'ls', '-q'],
          `labels."io.kubernetes.pod.uid"==${first.metadata.uid},labels."io.cri-containerd.kind"==sandbox`,
        ])
      ).stdout;
    const sandbox = await sandboxes();
    t.regex(sandbox, /^[0-9a-f]{64}$/);
    const old = (await read(await cgroupOf(pid), 'cgroup.procs')).split('\n').map(Number);
    t.true(old.length >= 2);

    await tell(first, 'watcher', 88);
    const second = await podThat('again', 'is ready again', ready(1));
    t.deepEqual(countsOf(second), { setup: 1, watcher: 1, main: 1 });
    t.is(await sandboxes(), sandbox);
    t.deepEqual(second.status.podIPs, first.status.podIPs);
    for (const pid of old)
      t.false(
        await fs.access(`/proc/${pid}`).then(
          () => true,
          () => false,
        ),
      );
    t.is(path.dirname(await scopeOf(await pidOf(second, 'main'))), slice);

    const [restart] = await agent.listRestarts('default', 'again', patience());
    t.truthy(restart);
    const { stdout } = await execa('reprise', ['timeline', 'again']);
    t.log(stdout);
    await deleted('again');
  },
);

test.serial('memory beyond the limit ends a container, and it is told why', async (t) => {
  const limits = { memory: '32Mi' };
  await apply(
    pod(
      'greedy',
      [],
      [
        // tail keeps what it reads in memory: one line without an end.
        container('main', 'tail -n 1 /dev/zero', { resources: { limits } }),
      ],
    ),
  );
  const one = await podThat('greedy', 'has failed', ({ status }) => status.phase === 'Failed');
  t.like(statusOf(one, 'main').state.terminated, { exitCode: 137, reason: 'OOMKilled' });
  await deleted('greedy');
});

test.serial(
  'a device that nobody granted cannot be opened; the usual ones and mounted ones can',
  async (t) => {
    await apply(
      pod(
        'devices',
        [],
        [
          container(
            'main',
            [
              'cd /tmp; mknod kmsg c 1 11; mknod zero c 1 5',
              '(head -c 1 zero | wc -c) > /shared/usual 2>&1',
              '(head -c 1 kmsg | wc -c) > /shared/kmsg 2>&1',
              '(head -c 1 /dev/granted | wc -c) > /shared/granted 2>&1',
              'echo done > /shared/done',
            ].join('\n'),
            {
              volumeMounts: [
                { name: 'shared', mountPath: '/shared' },
                { name: 'granted', mountPath: '/dev/granted' },
              ],
            },
          ),
        ],
        {
          volumes: [
            { name: 'shared', emptyDir: {} },
            { name: 'granted', hostPath: { path: '/dev/urandom', type: 'CharDevice' } },
          ],
        },
      ),
    );
    const one = await podThat('devices', 'has ended', ({ status }) => status.phase === 'Succeeded');
    const told = async (file: string): Promise<string> =>
      (await fs.readFile(path.join(volume(one), file), 'utf8')).trim();
    t.is(await told('usual'), '1');
    t.is(await told('granted'), '1');
    t.regex(await told('kmsg'), /Operation not permitted/);
    await deleted('devices');
  },
);

test.serial(
  'pods run on when the service is restarted, and when it is killed it comes back',
  async (t) => {
    await apply(pod('lasting', [], [container('main')]));
    const one = await podThat('lasting', 'is ready', ready(0));
    const pid = await pidOf(one, 'main');
    const mainPid = async (): Promise<string> =>
      (await execa('systemctl', ['show', '-p', 'MainPID', '--value', 'reprise'])).stdout;

    await execa('systemctl', ['restart', 'reprise']);
    const isBack = (): Promise<V1Pod | false | undefined> =>
      agent.getPod('default', 'lasting', patience()).then(
        (found) => isReady(found) && found,
        () => undefined,
      );
    t.is(await pidOf(await until('the agent is back', isBack), 'main'), pid);

    const before = await mainPid();
    process.kill(Number(before), 'SIGKILL');
    await until(
      'systemd has started it again',
      async () => !['0', before].includes(await mainPid()),
    );
    const after = await until('the agent is back again', isBack);
    t.is(await pidOf(after, 'main'), pid);
    t.deepEqual(countsOf(after), { main: 0 });
    await deleted('lasting');
  },
);
