import test from 'ava';
import type { PodCgroupValues } from './pod-cgroup.ts';
import { cpuWeightOf } from '../pod/cpu-shares.ts';
import { setShares, sliceProperties } from './pod-slice.ts';

const none = '18446744073709551615';
const cases: Record<string, { values: PodCgroupValues; v2: readonly string[] }> = {
  'what is not limited is said to be so': {
    values: { cpuShares: 2 },
    v2: ['CPUWeight 1', `CPUQuotaPerSecUSec ${none}`, `MemoryMax ${none}`, `TasksMax ${none}`],
  },
  'all limits at once': {
    values: {
      cpuShares: 1024,
      cpuQuota: { quotaUs: 50_000, periodUs: 100_000 },
      memoryBytes: 64 * 1024 ** 2,
      pids: 7,
    },
    v2: ['CPUWeight 39', 'CPUQuotaPerSecUSec 500000', 'MemoryMax 67108864', 'TasksMax 7'],
  },
  'two and a half processors': {
    values: { cpuShares: 2560, cpuQuota: { quotaUs: 250_000, periodUs: 100_000 } },
    v2: ['CPUWeight 98', 'CPUQuotaPerSecUSec 2500000', `MemoryMax ${none}`, `TasksMax ${none}`],
  },
  'a quota is rounded up to a whole percent, never down to nothing': {
    values: { cpuShares: 2, cpuQuota: { quotaUs: 1_100, periodUs: 100_000 } },
    v2: ['CPUWeight 1', 'CPUQuotaPerSecUSec 20000', `MemoryMax ${none}`, `TasksMax ${none}`],
  },
};
for (const [title, { values, v2 }] of Object.entries(cases)) {
  test(title, (t) => {
    t.deepEqual(
      sliceProperties(values, 2).map(([name, , value]) => `${name} ${value}`),
      v2,
    );
  });
}

test('on cgroup v1 systemd knows the same by other names', (t) => {
  t.deepEqual(
    sliceProperties({ cpuShares: 512, memoryBytes: 4096 }, 1).map(
      ([name, signature, value]) => `${name} ${signature} ${value}`,
    ),
    ['CPUShares t 512', `CPUQuotaPerSecUSec t ${none}`, 'MemoryLimit t 4096', `TasksMax t ${none}`],
  );
});

test('shares of v1 become weights of v2 over the whole range', (t) => {
  t.deepEqual([2, 1024, 262_144].map(cpuWeightOf), [1, 39, 10_000]);
});

test('a slice of a QoS class is given its share by systemd, and not for good', (t) => {
  const slice = '/kubepods.slice/kubepods-burstable.slice';
  const told = (version: 1 | 2) => setShares(slice, 1024, version).join(' ');
  t.is(told(2), 'set-property --runtime -- kubepods-burstable.slice CPUWeight=39');
  t.is(told(1), 'set-property --runtime -- kubepods-burstable.slice CPUShares=1024');
});
