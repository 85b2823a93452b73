/**
 * One subscription to containerd's events, from its proof to its loss.
 */
import { randomUUID } from 'node:crypto';
import { on } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { RepriseError } from '../errors.ts';
import { criNamespace, headers, perform, RuntimeCallError, translate } from './call.ts';
import type { Containerd } from './connect.ts';
import type { Envelope__Output } from './generated/containerd/services/events/v1/Envelope.ts';
import { newsReader } from './news.ts';
import type { News } from './news.ts';
import { wallClock } from './time.ts';

export type { News } from './news.ts';

interface Arrival {
  readonly envelope: Envelope__Output;
  readonly seenAt: number;
}

const topics = [
  ...['/tasks/create', '/tasks/start', '/tasks/exit', '/tasks/delete', '/tasks/oom'],
  ...['/images/create', '/images/update'],
];

const firstMarkDelayMs = 2;
const longestMarkDelayMs = 100;
/** A daemon that answers calls but sends no events for so long is not to be waited for. */
const proofMs = 10_000;
const publishMs = 5_000;

/**
 * Subscribes once. Throws a RepriseError when the connection is lost or cannot be proven; returns
 * when the signal ends it.
 */
export async function* subscription(
  containerd: Containerd,
  signal: AbortSignal,
): AsyncGenerator<News | { readonly kind: 'proven' }, void, void> {
  // Of its own for each connection: an answer to an earlier one proves nothing.
  const mark = `/reprise/mark/${randomUUID()}`;
  const stream = subscribe(containerd, mark);
  const proof = new AbortController();
  const newsIn = newsReader(containerd);
  try {
    const arrivals = on(stream, 'data', { signal, close: ['end'] });
    void prove(containerd, mark, proof.signal).catch((error: unknown) => {
      stream.destroy(error as Error);
    });
    for await (const [arrival] of arrivals as AsyncIterable<[Arrival]>) {
      const { envelope, seenAt } = arrival;
      if (envelope.topic !== mark) {
        const news = newsIn(envelope, seenAt);
        if (news) yield news;
      } else if (!proof.signal.aborted) {
        proof.abort();
        yield { kind: 'proven' };
      }
    }
    throw new RuntimeCallError('Subscribe', 'aborted', 'the stream ended', containerd.socketPath);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof RepriseError) throw error;
    throw await translate('Subscribe', containerd.socketPath, error as ServiceError);
  } finally {
    proof.abort();
    stream.cancel();
  }
}

function subscribe(containerd: Containerd, mark: string): ClientReadableStream<Arrival> {
  const { path, requestSerialize, responseDeserialize } = containerd.events.Subscribe;
  // Stamped where the bytes come in: whoever reads the stream may be busy with the event before.
  const arrive = (bytes: Buffer) => ({
    envelope: responseDeserialize(bytes),
    seenAt: wallClock(),
  });
  const filters = [
    ...topics.map((topic) => `topic=="${topic}",namespace==${criNamespace}`),
    `topic=="${mark}"`,
  ];
  const { client } = containerd;
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    arrive,
    { filters },
    headers(),
  );
  // Whoever reads the stream gets its error; this one is for the CANCELLED after the last read.
  stream.on('error', () => undefined);
  return stream;
}

/** Publishes the mark until the signal says that it came back: the first ones are often missed. */
async function prove(containerd: Containerd, mark: string, proven: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + proofMs;
  const event = { type_url: 'google.protobuf.Empty', value: Buffer.alloc(0) };
  const patience = { deadlineMs: publishMs, signal: proven };
  try {
    for (let delayMs = firstMarkDelayMs; ; delayMs = Math.min(delayMs * 2, longestMarkDelayMs)) {
      await perform(containerd, containerd.events.Publish, { topic: mark, event }, patience);
      await setTimeout(delayMs, undefined, { signal: proven });
      if (performance.now() > giveUpAt) {
        throw new RuntimeCallError('Subscribe', 'deadline', 'no event came', containerd.socketPath);
      }
    }
  } catch (error) {
    if (!proven.aborted) throw error;
  }
}
