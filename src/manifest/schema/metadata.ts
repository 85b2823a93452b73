/** ObjectMeta of a Pod: what names it, and what a server writes into objects. */
import { z } from 'zod';
import { honoured, inert, must, required } from './field.ts';
import { listOf } from './many.ts';
import { dnsLabel, dnsSubdomain, textMap } from './scalar.ts';

const fromServer = 'a server writes it; here it starts anew';

export const metadata = z.strictObject({
  name: required(dnsSubdomain(), 'the name of the pod, unique in its namespace'),
  generateName: inert(z.string(), 'names are not made up here; metadata.name counts'),
  namespace: honoured(dnsLabel(), 'default "default"; it need not be created'),
  uid: honoured(
    must(
      z.string(),
      (uid) => uid.length <= 63 && /^(?:[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)?$/.test(uid),
      "must consist of letters, digits and '-', such as a UUID",
      'leave it out: then the pod gets a new one',
    ),
    'names the folder and the cgroup of the pod; default a new one',
  ),
  labels: honoured(textMap(), 'given to the sandbox, selectable'),
  annotations: honoured(
    textMap(),
    'given to the sandbox; those of reprise.dev/ and cdi.k8s.io/ are described above',
  ),
  creationTimestamp: inert(z.string(), fromServer),
  deletionTimestamp: inert(z.string(), fromServer),
  deletionGracePeriodSeconds: inert(z.number(), fromServer),
  finalizers: inert(
    listOf(z.string()),
    'nothing here would ever remove them, so deletion does not wait',
  ),
  generation: inert(z.number(), fromServer),
  managedFields: inert(listOf(z.unknown()), fromServer),
  ownerReferences: inert(listOf(z.unknown()), 'the owner is not here'),
  resourceVersion: inert(z.string(), fromServer),
  selfLink: inert(z.string(), fromServer),
});
