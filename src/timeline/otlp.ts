/**
 * Timelines as OTLP/JSON traces, to be posted to any OpenTelemetry collector (`/v1/traces`): one trace
 * for each restart, one span for each step, and one event for each mark. Ids are made from the pod and the generation, so that
 * exporting twice does not double anything; hence a restart under way, whose spans would have other ends the
 * next time, is left out.
 */
import { createHash } from 'node:crypto';
import type { Timeline } from './timeline.ts';

export function timelineOtlp(timelines: readonly Timeline[]): object {
  const spans = timelines.filter(({ outcome }) => outcome !== 'under way').flatMap(spansOf);
  return {
    resourceSpans: [
      {
        resource: { attributes: [attribute('service.name', 'reprise')] },
        scopeSpans: [{ scope: { name: 'reprise' }, spans }],
      },
    ],
  };
}

function spansOf(timeline: Timeline): object[] {
  const traceId = idOf(32, timeline.pod, timeline.generation, timeline.beganAt);
  const parentSpanId = idOf(16, traceId, 'restart');
  const [namespace = '', name = ''] = timeline.pod.split('/');
  const parent = {
    traceId,
    spanId: parentSpanId,
    name: 'in-place restart',
    kind: 1,
    startTimeUnixNano: nanos(timeline.beganAt),
    endTimeUnixNano: nanos(timeline.beganAt + timeline.totalMs),
    attributes: [
      attribute('k8s.namespace.name', namespace),
      attribute('k8s.pod.name', name),
      attribute('reprise.generation', String(timeline.generation)),
      attribute('reprise.cause', timeline.cause),
    ],
    events: timeline.spans
      .filter(({ kind }) => kind === 'mark')
      .map(({ name, startMs }) => ({ name, timeUnixNano: nanos(timeline.beganAt + startMs) })),
    ...(timeline.outcome === 'cut short' && cutShort),
  };
  const steps = timeline.spans.filter(({ kind }) => kind !== 'mark');
  const children = steps.map(({ name, kind, startMs, endMs, isOpen }) => ({
    traceId,
    spanId: idOf(16, traceId, name),
    parentSpanId,
    name,
    kind: 1,
    startTimeUnixNano: nanos(timeline.beganAt + startMs),
    endTimeUnixNano: nanos(timeline.beganAt + endMs),
    attributes: [attribute('reprise.step', kind)],
    ...(isOpen === true && cutShort),
  }));
  return [parent, ...children];
}

/** OpenTelemetry's STATUS_CODE_ERROR. */
const cutShort = { status: { code: 2, message: 'cut short' } };

function attribute(key: string, value: string): object {
  return { key, value: { stringValue: value } };
}

/** Whole nanoseconds as text: a number of that size would be rounded. */
function nanos(ms: number): string {
  return (BigInt(Math.trunc(ms)) * 1_000_000n + BigInt(Math.round((ms % 1) * 1e6))).toString();
}

function idOf(digits: number, ...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, digits);
}
