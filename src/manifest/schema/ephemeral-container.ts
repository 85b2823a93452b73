/**
 * The v1 EphemeralContainer: a Container without what would make it a part of the pod's work, as
 * Kubernetes' validation has it (allowedEphemeralContainerFields).
 */
import type { z } from 'zod';
import { container, volumeMount } from './container.ts';
import { honoured, refused, required } from './field.ts';
import { podSchema, podSpec } from './pod.ts';
import { listOf } from './many.ts';
import { dnsLabel } from './scalar.ts';

const notForGuests = 'cannot be set for an Ephemeral Container';

export const ephemeralContainer = container.extend({
  ports: refused(notForGuests, []),
  // kubectl sends an empty one with each.
  resources: refused(notForGuests, {}),
  resizePolicy: refused(notForGuests, []),
  restartPolicy: refused(notForGuests),
  restartPolicyRules: refused(notForGuests, []),
  volumeMounts: honoured(
    listOf(
      volumeMount.extend({
        subPath: refused(notForGuests),
        subPathExpr: refused(notForGuests),
      }),
    ),
    'volumes of the pod that it sees',
  ),
  livenessProbe: refused(notForGuests),
  readinessProbe: refused(notForGuests),
  startupProbe: refused(notForGuests),
  lifecycle: refused(notForGuests),
  targetContainerName: honoured(
    dnsLabel(),
    'the container whose processes it sees: it is started when that runs, and ends with it',
  ),
});

/** A pod that runs already, with those that have been added to it. */
export const visitedPodSchema = podSchema.extend({
  spec: required(
    podSpec.extend({
      ephemeralContainers: honoured(listOf(ephemeralContainer), 'those that have been added'),
    }),
    'what is wanted of it',
  ),
});

export type RawVisitedPod = z.output<typeof visitedPodSchema>;
export type RawEphemeralContainer = z.output<typeof ephemeralContainer>;
