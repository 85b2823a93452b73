/**
 * Many samples -> a few numbers: medians, the slow end, and ratios with how far they can be trusted.
 * Pure; the same samples always give the same numbers.
 *
 * Read next: report-text.ts, report-html.ts.
 */
import { methods } from './contender.ts';
import type { Mark, Method } from './contender.ts';
import { happenings } from './marks.ts';
import type { OwnShare } from './own-share.ts';
import type { Sample } from './rounds.ts';

/** How some times are spread, in milliseconds. */
export interface Spread {
  readonly count: number;
  readonly best: number;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
}

/** How a method did. */
export interface MethodSummary {
  readonly method: Method;
  /** Until all pods of a round were back. */
  readonly totalMs: Spread;
  /** Until each pod was back, over all rounds; with one pod the same as `totalMs`. */
  readonly podMs: Spread;
}

/** How the in-place restart compares: the ratio of the medians. */
export interface Ratio {
  readonly to: Exclude<Method, 'in-place'>;
  readonly ratio: number;
  /** 95 % of all ratios that come out when rounds are drawn again at random are in between. */
  readonly low: number;
  readonly high: number;
}

/** A part of the in-place restart. */
export interface Part {
  readonly what: string;
  readonly ms: Spread;
}

/** Everything a report tells. */
export interface Summary {
  readonly methods: readonly MethodSummary[];
  readonly ratios: readonly Ratio[];
  readonly parts: readonly Part[];
  /** The course of the in-place restart: medians of milliseconds after the trigger's last act. */
  readonly course: readonly Mark[];
}

/** What is left of a restart without the runtime's calls and the init containers' work, and in what. */
const shares: readonly (readonly [what: string, share: keyof OwnShare])[] = [
  ['neither call nor init container, in all', 'allMs'],
  ['of that: news of exits on its way', 'newsMs'],
  ['of that: the killed dying', 'dyingMs'],
  ["of that: reprise's own work", 'agentMs'],
];

/** The name of the end of the course. */
export const firstAct = 'first act of the last app container';

/** Sums up the samples of one run. */
export function summarize(samples: readonly Sample[]): Summary {
  return {
    methods: methods.map((method) => summarizeMethod(method, ofMethod(samples, method))),
    ratios: (['naive', 're-creation'] as const).map((to) => ({ to, ...ratioOf(samples, to) })),
    parts: partsOf(samples),
    course: courseOf(samples),
  };
}

/** Best, median, nearest-rank 95th percentile and worst of some numbers. */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
  return {
    count: sorted.length,
    best: sorted[0] ?? NaN,
    median: medianOf(numbers),
    p95: rank(0.95),
    worst: sorted.at(-1) ?? NaN,
  };
}

/** The middle one; of an even number, halfway between the two in the middle. */
export function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const lower = sorted[Math.ceil(half) - 1] ?? NaN;
  const upper = sorted[Math.floor(half)] ?? NaN;
  return (lower + upper) / 2;
}

function ofMethod(samples: readonly Sample[], method: Method): readonly Sample[] {
  return samples.filter((sample) => sample.method === method);
}

function summarizeMethod(method: Method, samples: readonly Sample[]): MethodSummary {
  return {
    method,
    totalMs: spreadOf(samples.map(({ totalMs }) => totalMs)),
    podMs: spreadOf(samples.flatMap(({ pods }) => pods.map(({ latencyMs }) => latencyMs))),
  };
}

const DRAWS = 2000;

/** The bootstrap: whole rounds are drawn, since what disturbs one contender disturbs its neighbour. */
function ratioOf(samples: readonly Sample[], to: Method): Omit<Ratio, 'to'> {
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const times = (method: Method): readonly number[] =>
    rounds.map(
      (round) => samples.find((s) => s.round === round && s.method === method)?.totalMs ?? NaN,
    );
  const [ours, theirs] = [times('in-place'), times(to)];
  const random = randomNumbers(1);
  const drawn = Array.from({ length: DRAWS }, () => {
    const chosen = rounds.map(() => Math.floor(random() * rounds.length));
    const pick = (all: readonly number[]): number[] => chosen.map((index) => all[index] ?? NaN);
    return medianOf(pick(ours)) / medianOf(pick(theirs));
  }).toSorted((a, b) => a - b);
  return {
    ratio: medianOf(ours) / medianOf(theirs),
    low: drawn[Math.floor(0.025 * DRAWS)] ?? NaN,
    high: drawn[Math.ceil(0.975 * DRAWS) - 1] ?? NaN,
  };
}

/** Mulberry32: numbers that look random and are the same every time. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const { exited, seen, killed, lastKilled, dead, starting } = happenings;

/** What is told of each restart: from one mark to another. */
const intervals: readonly (readonly [what: string, from: string | undefined, to: string])[] = [
  ["trigger's last act to its exit", undefined, exited],
  ['exit to its detection', exited, seen],
  ['detection to first kill', seen, killed],
  ['detection to exit of the last one killed', seen, lastKilled],
  ['first kill to proof of death', killed, dead],
  ['proof of death to begin of start-up', dead, starting],
  ['start-up to first act of the last app', starting, firstAct],
];

function partsOf(samples: readonly Sample[]): readonly Part[] {
  const courses = inPlaceCourses(samples);
  const own = ofMethod(samples, 'in-place').flatMap(({ pods }) =>
    pods.flatMap((one) => one.own ?? []),
  );
  const ownParts = shares.flatMap(([what, share]) =>
    own.length > 0 ? [{ what, ms: spreadOf(own.map((one) => one[share])) }] : [],
  );
  const parts = intervals.flatMap(([what, from, to]) => {
    const durations = courses.flatMap((marks) => {
      const begin = from === undefined ? 0 : atOf(marks, from);
      const end = atOf(marks, to);
      return begin === undefined || end === undefined ? [] : [end - begin];
    });
    return durations.length > 0 ? [{ what, ms: spreadOf(durations) }] : [];
  });
  return [...parts, ...ownParts];
}

function courseOf(samples: readonly Sample[]): readonly Mark[] {
  const courses = inPlaceCourses(samples);
  const names = [...new Set(courses.flatMap((marks) => marks.map(({ what }) => what)))];
  return names
    .map((what) => ({ what, at: medianOf(courses.flatMap((marks) => atOf(marks, what) ?? [])) }))
    .toSorted((a, b) => a.at - b.at);
}

function inPlaceCourses(samples: readonly Sample[]): readonly (readonly Mark[])[] {
  return ofMethod(samples, 'in-place').flatMap(({ pods }) =>
    pods.map(({ marks, latencyMs }) => [...marks, { what: firstAct, at: latencyMs }]),
  );
}

function atOf(marks: readonly Mark[], wanted: string): number | undefined {
  return marks.find(({ what }) => what === wanted)?.at;
}
