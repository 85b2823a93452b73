/**
 * The decision: what to do about a pod, given all that is known of it. Pure; called again after
 * every piece of news. It reads as a table of contents of this folder.
 *
 * Read next: restart-all.ts, the reason for it all; start-order.ts, the way up; termination.ts, the
 * way down; ../agent/worker.ts, which calls this.
 */
import { settle } from './conditions.ts';
import type { Decision, Look } from './decision.ts';
import { waitsForDevices } from './keep-devices.ts';
import { both, earlier, only } from './decision.ts';
import { startEphemeral } from './ephemeral.ts';
import { holdBackRetries } from './hold-back.ts';
import type { Ending, Memory } from './memory.ts';
import type { Observed } from './observed.ts';
import type { Pod } from './pod.ts';
import { probeWhatIsDue, takeProbeResults } from './probes.ts';
import { tellPullBackoffs } from './pull-backoff.ts';
import { rememberWhatWasSeen } from './remember.ts';
import { clearOldGeneration, findTrigger, isClearing, nextGeneration } from './restart-all.ts';
import { finishRestart, leaveRestart } from './restart-record.ts';
import { ensureSandbox } from './sandbox.ts';
import type { Settings } from './settings.ts';
import { findFailedInit, isFinished, isSidecarUp, startWhatIsDue } from './start-order.ts';
import { isSidecar } from './pod.ts';
import { windDown } from './termination.ts';
import { tidyWhenQuiet } from './tidy.ts';

export function decide(
  pod: Pod,
  observed: Observed,
  memory: Memory,
  now: number,
  settings: Settings,
): Decision {
  const look: Look = { pod, observed, now, settings };
  const seen = takeProbeResults(look, rememberWhatWasSeen(look, memory));
  const judged = both(seen, judge(look, seen.memory));
  const asked = both(judged, probeWhatIsDue(look, judged.memory));
  const decision = tellPullBackoffs(look, holdBackRetries(look, asked));
  return { ...decision, memory: settle(look, decision.memory) };
}

function judge(look: Look, memory: Memory): Decision {
  if (memory.ending !== undefined) return end(look, memory, memory.ending);
  const ending = findEnding(look, memory);
  if (ending !== undefined) {
    return both(begin(ending, memory), end(look, { ...memory, ending }, ending));
  }

  const begun = startEphemeral(look, memory);
  return both(begun, restartOrLive(look, begun.memory));
}

/** A restart that is under way is not gone on with. */
function end(look: Look, memory: Memory, ending: Ending): Decision {
  return windDown(look, leaveRestart(look, memory), ending);
}

function restartOrLive(look: Look, memory: Memory): Decision {
  const trigger = findTrigger(look, memory);
  if (trigger !== undefined) {
    const next = nextGeneration(look, memory, trigger);
    return withDeadline(look, both(next, restartAll(look, next.memory)));
  }
  const next = isClearing(memory) ? restartAll(look, memory) : live(look, memory);
  return withDeadline(look, both(next, refreshVolumes(look, next.memory)));
}

/** Clears the old generation away; as soon as that is done, goes on with the new one. */
function restartAll(look: Look, memory: Memory): Decision {
  const cleared = clearOldGeneration(look, memory);
  return isClearing(cleared.memory) ? cleared : both(cleared, live(look, cleared.memory));
}

function live(look: Look, memory: Memory): Decision {
  // It is woken when that changes.
  if (waitsForDevices(look)) return only(memory);
  const sandbox = ensureSandbox(look, memory);
  if (sandbox !== undefined) return sandbox;
  const lend = look.observed.loan === undefined ? [{ kind: 'lend' as const }] : [];
  if (lend.length > 0) return { ...only(memory), actions: lend };

  const due = holdBackRetries(look, startWhatIsDue(look, memory));
  const finished = both(due, finishRestart(look, due.memory));
  // What is due comes first; the result of it leads back here.
  return due.actions.length > 0 ? finished : both(finished, tidyWhenQuiet(look, finished.memory));
}

/** Beside everything else: a container sees the change when it comes, running or not. */
function refreshVolumes({ observed }: Look, memory: Memory): Decision {
  const isDue = observed.loan !== undefined && observed.hasStaleVolumes === true;
  return { ...only(memory), actions: isDue ? [{ kind: 'lend' }] : [] };
}

function begin({ reason, message = '' }: Ending, memory: Memory): Decision {
  if (reason === undefined) return only(memory);
  return { ...only(memory), events: [{ type: 'Normal', reason, message }] };
}

/** Why the pod has to end now, if it has to. */
function findEnding(look: Look, memory: Memory): Ending | undefined {
  const { pod, observed, now } = look;
  const { terminationGracePeriodSeconds: graceSeconds, activeDeadlineSeconds } = pod.spec;
  const ending = { at: now, graceSeconds, force: false };
  if (findFailedInit(look, memory) !== undefined) return { ...ending, cause: 'failed' };
  if (activeDeadlineSeconds !== undefined && now >= deadline(memory, activeDeadlineSeconds, now)) {
    return {
      ...ending,
      cause: 'deadline',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    };
  }
  if (!isFinished(look, memory)) return undefined;
  // With all app containers done a sidecar may still ask for a restart of all, as long as another
  // one runs; the last one cannot: its death is part of the pod's end (the kubelet's getPhase).
  const sidecarRuns = pod.spec.initContainers
    .filter(isSidecar)
    .some(({ name }) => isSidecarUp(look, memory, name));
  const restartAsked =
    sidecarRuns && findTrigger({ ...look, observed: { ...observed, requests: [] } }, memory);
  return restartAsked ? undefined : { ...ending, cause: 'finished' };
}

function withDeadline({ pod, now }: Look, decision: Decision): Decision {
  const { activeDeadlineSeconds } = pod.spec;
  if (activeDeadlineSeconds === undefined) return decision;
  const at = deadline(decision.memory, activeDeadlineSeconds, now);
  return { ...decision, lookAgainAt: earlier(decision.lookAgainAt, at) };
}

function deadline({ startTime }: Memory, seconds: number, now: number): number {
  return (startTime ?? now) + seconds * 1000;
}
