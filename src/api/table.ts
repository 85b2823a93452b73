/**
 * The columns of `get`: Kubernetes' Table objects for kubectl, and the same cells for our own CLI.
 */
import { generationAnnotation } from '../pod/pod-status.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { ageOf } from './age.ts';
import type { V1Event } from './backend.ts';
import { summarize } from './pod-summary.ts';
import type { PodSummary } from './pod-summary.ts';

export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer';
  readonly format: '' | 'name';
  readonly description: string;
  /** 0 is always shown, 1 only when wide. */
  readonly priority: 0 | 1;
  readonly cell: (object: T, nowMs: number) => string | number;
}

/** A `meta.k8s.io/v1` Table. */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: { readonly resourceVersion: string };
  readonly columnDefinitions: readonly Omit<Column<unknown>, 'cell'>[];
  readonly rows: readonly {
    readonly cells: readonly (string | number)[];
    readonly object?: object;
  }[];
}

/** What each row of a Table may carry of its object, by Kubernetes' words for it. */
export const rowParts = ['Metadata', 'None', 'Object'] as const;
export type RowPart = (typeof rowParts)[number];

/** The columns of `get pods`. */
export const podColumns: readonly Column<V1Pod>[] = [
  column('Name', 'Name of the pod', (pod) => pod.metadata.name, { format: 'name' }),
  column('Ready', 'Ready containers of all', (pod) => readyOf(summarize(pod))),
  column('Status', 'Phase, or the reason that says more', (pod) => summarize(pod).status),
  column('Restarts', 'Restarts of all containers', (pod, now) => restartsOf(summarize(pod), now)),
  column('Age', 'Time since the pod was accepted', (pod, now) =>
    ageOf(pod.metadata.creationTimestamp, now),
  ),
  column('IP', 'Address of the pod', (pod) => pod.status.podIP ?? '<none>', { priority: 1 }),
  column('Node', 'Name of this node', (pod) => pod.spec.nodeName, { priority: 1 }),
  column('Generation', 'In-place restarts so far', generationOf, { priority: 1 }),
];

/** The columns of `events`. */
export const eventColumns: readonly Column<V1Event>[] = [
  column('Last Seen', 'Time since it last happened', (event, now) =>
    ageOf(event.lastTimestamp, now),
  ),
  column('Type', 'Normal or Warning', (event) => event.type),
  column('Reason', 'What happened, in a word', (event) => event.reason),
  column('Object', 'What it happened to', (event) => `pod/${event.involvedObject.name}`),
  column('Container', 'Which of its containers', containerOf),
  column('Source', 'Who says so', ({ source }) => `${source.component}, ${source.host}`, {
    priority: 1,
  }),
  column('Message', 'What happened', (event) => event.message.trim()),
  column(
    'First Seen',
    'Time since it first happened',
    (event, now) => ageOf(event.firstTimestamp, now),
    { priority: 1 },
  ),
  column('Count', 'How often it happened', (event) => event.count, {
    type: 'integer',
    priority: 1,
  }),
  column('Name', 'Name of the event', (event) => event.metadata.name, {
    format: 'name',
    priority: 1,
  }),
];

/** Objects as a Table. */
export function tableOf<T extends { readonly metadata: object }>(
  columns: readonly Column<T>[],
  objects: readonly T[],
  resourceVersion: string,
  nowMs: number,
  part: RowPart,
): Table {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: columns.map(({ cell: _, ...definition }) => definition),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, nowMs)),
      object: partOf(object, part),
    })),
  };
}

function partOf(object: { readonly metadata: object }, part: RowPart): object | undefined {
  if (part === 'None') return undefined;
  if (part === 'Object') return object;
  const { metadata } = object;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

/** One column; a text that is always shown, unless said otherwise. */
export function column<T>(
  name: string,
  description: string,
  cell: Column<T>['cell'],
  rest: Partial<Pick<Column<T>, 'type' | 'format' | 'priority'>> = {},
): Column<T> {
  return { name, type: 'string', format: '', description, priority: 0, cell, ...rest };
}

/** The container an event is about; empty if it is about the pod. */
export function containerOf({ involvedObject }: V1Event): string {
  return /^spec\.\w+\{(.+)\}$/.exec(involvedObject.fieldPath ?? '')?.[1] ?? '';
}

function readyOf({ ready, total }: PodSummary): string {
  return `${ready}/${total}`;
}

function restartsOf({ restarts, lastRestartAt }: PodSummary, nowMs: number): string {
  const isDated = restarts > 0 && lastRestartAt !== undefined;
  return isDated ? `${restarts} (${ageOf(lastRestartAt, nowMs)} ago)` : String(restarts);
}

/** How often the pod was restarted in place. */
export function generationOf(pod: V1Pod): string {
  return pod.metadata.annotations?.[generationAnnotation] ?? '0';
}
