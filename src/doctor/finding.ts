/** What a check finds out about the machine: how it is, in words, and what to do about it. */
export interface Finding {
  /** What was looked at: `containerd`, `cgroups`, `device nvidia.com/gpu=0`. */
  readonly subject: string;
  /** `warn`: something will not work, or not well; `fail`: no pod can run. */
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly finding: string;
  /** What to do; absent if all is well. */
  readonly next?: string;
}

export function ok(subject: string, finding: string): Finding {
  return { subject, verdict: 'ok', finding };
}

export function warn(subject: string, finding: string, next: string): Finding {
  return { subject, verdict: 'warn', finding, next };
}

export function fail(subject: string, finding: string, next: string): Finding {
  return { subject, verdict: 'fail', finding, next };
}
