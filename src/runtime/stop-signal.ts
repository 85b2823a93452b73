/**
 * Stops a container with a signal of its own choice.
 *
 * CRI has a field for it that containerd honours from 2.3 on; older versions drop it without a word.
 * So the signal is sent through containerd's tasks, which all versions have, and CRI's own stop only
 * ends what is left when the grace is over.
 */
import os from 'node:os';
import { timeLimit } from '../timers.ts';
import { perform, unlessGone } from './call.ts';
import type { Containerd } from './connect.ts';
import type { Cri } from './cri.ts';
import type { Signal } from './generated/runtime/v1/Signal.ts';

export interface SignalledStop {
  readonly stopSignal: string;
  readonly graceSeconds: number;
  /** It has had its signal, only the grace is another one: many programs abort when they get a second one. */
  readonly isSignalled: boolean;
  readonly onSignalled: () => void;
}

/** Resolves when the container has ended; one that has ended already counts as stopped. */
export type StopWithSignal = (
  id: string,
  stop: SignalledStop,
  signal: AbortSignal,
) => Promise<void>;

const killWithinMs = 120_000;

export function stopperBySignal(containerd: Containerd, cri: Cri): StopWithSignal {
  const { tasks } = containerd;
  return async (containerId, { stopSignal, graceSeconds, isSignalled, onSignalled }, signal) => {
    if (!isSignalled) {
      const request = { containerId, signal: signalNumber(stopSignal) };
      const patience = { deadlineMs: killWithinMs, signal };
      await unlessGone(perform(containerd, tasks.Kill, request, patience));
      onSignalled();
    }
    await ended(containerd, containerId, graceSeconds * 1000, signal);
    // Nobody is left, or SIGKILL; in either case it answers when CRI knows of the end, too.
    await cri.stopContainer(containerId, 0, signal);
  };
}

/** Resolves when the container has ended or the time is over. */
async function ended(
  containerd: Containerd,
  containerId: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<void> {
  using limit = timeLimit(withinMs, signal);
  const patience = { deadlineMs: Infinity, signal: limit.signal };
  try {
    await unlessGone(perform(containerd, containerd.tasks.Wait, { containerId }, patience));
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.signal.aborted) throw error;
  }
}

const aliases: Readonly<Record<string, NodeJS.Signals>> = { SIGCLD: 'SIGCHLD' };
const firstRealTime = 34;
const lastRealTime = 64;

/** The number of a signal by the name that a manifest has for it. */
export function signalNumber(name: string): number {
  const [, end, distance = '0'] = /^SIGRT(MIN|MAX)(?:[+-](\d+))?$/.exec(name) ?? [];
  if (end === 'MIN') return firstRealTime + Number(distance);
  if (end === 'MAX') return lastRealTime - Number(distance);
  const number = os.constants.signals[aliases[name] ?? (name as NodeJS.Signals)] as
    number | undefined;
  if (number === undefined) throw new Error(`the signal ${name} was accepted but has no number`);
  return number;
}

/** The name of a signal in CRI's words. */
export function criSignal(name: string): Signal {
  return `SIGNAL_${name.replace('+', 'PLUS').replace('-', 'MINUS')}` as Signal;
}
