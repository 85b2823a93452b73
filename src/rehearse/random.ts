/**
 * Random numbers that can be had again: the same seed gives the same sequence, on every machine.
 */

/** The next number of a sequence, at least 0 and less than 1. */
export type Random = () => number;

/** The largest seed; it fits into 32 bits. */
export const maxSeed = 2 ** 32 - 1;

/** The sequence of a seed: a Weyl sequence in 32 bits, mixed until neighbours look unrelated. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A random order of these. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
