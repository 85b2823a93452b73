/**
 * Hooks: what is run at a container right after its start, and before it is told to end.
 *
 * Source: the kubelet's kuberuntime_container.go. postStart holds back everything that waits for the
 * container, its own probes included; when it fails the container is stopped. preStop comes before
 * every stop signal that we send, and takes from the grace; in-place restarts send none.
 *
 * After a crash of the agent a hook that had not answered is run again: at least once, not exactly once.
 */
import type { HookKind } from './handler.ts';
import type { Instance } from './observed.ts';
import type { Action } from './action.ts';
import type { ContainerMemory } from './memory.ts';
import type { Container } from './pod.ts';

/** Whether the postStart hook of a container that runs has still to come, or to end. */
export function awaitsPostStart(container: Container, known: ContainerMemory | undefined): boolean {
  return container.lifecycle?.postStart !== undefined && known?.postStart === undefined;
}

/** Runs that hook, unless that has been begun. */
export function runHook({ id, name, hooks }: Instance, hook: HookKind): readonly Action[] {
  return id === undefined || hooks?.[hook] !== undefined
    ? []
    : [{ kind: 'run-hook', id, name, hook }];
}
