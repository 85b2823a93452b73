import test from 'ava';
import { aContainer, aPod } from '../testing/builders.ts';
import { namesOf } from './hostname.ts';
import type { PodNames } from './hostname.ts';
import type { PodSpec } from './pod.ts';

function names(spec: Partial<PodSpec>, name = 'web-0'): PodNames {
  const pod = aPod([], [aContainer('main')], spec);
  return namesOf({ ...pod, metadata: { ...pod.metadata, name, namespace: 'lab' } }, 'home.test');
}

const long = 'a'.repeat(62);

const cases: Record<string, readonly [PodNames, PodNames]> = {
  'a pod is called what its name says': [names({}), { hostname: 'web-0', kernelHostname: 'web-0' }],
  'or its hostname': [names({ hostname: 'db' }), { hostname: 'db', kernelHostname: 'db' }],
  'a name is cut to the length of a label, and not behind a dash': [
    names({}, `${long}-${long}`),
    { hostname: long, kernelHostname: long },
  ],
  'a subdomain gives it a domain': [
    names({ subdomain: 'sub' }),
    { hostname: 'web-0', domain: 'sub.lab.svc.home.test', kernelHostname: 'web-0' },
  ],
  'which may be part of the hostname': [
    names({ hostname: 'db', subdomain: 'sub', setHostnameAsFQDN: true }),
    {
      hostname: 'db',
      domain: 'sub.lab.svc.home.test',
      kernelHostname: 'db.sub.lab.svc.home.test',
    },
  ],
  'without a subdomain there is no more to say': [
    names({ setHostnameAsFQDN: true }),
    { hostname: 'web-0', kernelHostname: 'web-0' },
  ],
  'an override takes the place of all': [
    names({ hostnameOverride: 'a.b', hostname: 'db', subdomain: 'sub' }),
    { hostname: 'a.b', kernelHostname: 'a.b' },
  ],
};
for (const [title, [actual, expected]] of Object.entries(cases)) {
  test(title, (t) => t.deepEqual(actual, expected));
}
