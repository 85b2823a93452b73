/** CPU requests as the numbers that the kernel weighs cgroups by. */

const least = 2;
const most = 262_144;

/** cpu.shares of cgroup v1 for thousandths of a CPU; with no request it is the least. */
export function sharesOf(cpuMilli: number): number {
  return Math.min(Math.max(Math.floor((cpuMilli * 1024) / 1000), least), most);
}

/** cpu.weight of cgroup v2 for the same shares; the formula that runc uses for containers. */
export function cpuWeightOf(shares: number): number {
  return 1 + Math.floor(((shares - least) * 9999) / (most - least));
}
