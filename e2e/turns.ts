/** Keeps the tests of a file from all working at the same time: on a small machine each would be slow. */
import test from 'ava';
import type { ExecutionContext } from 'ava';

type Body = (t: ExecutionContext) => Promise<void>;

/** ava's `test`, but at most that many of them work at a time. */
export function testInTurn(most: number): (title: string, body: Body) => void {
  const waiting: (() => void)[] = [];
  let free = most;
  return (title, body) => {
    test(title, async (t) => {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        await body(t);
      } finally {
        const next = waiting.shift();
        if (next === undefined) free++;
        else next();
      }
    });
  };
}
