import test from 'ava';
import { own } from './own.ts';

const parsed = JSON.parse('{"toString": "text", "__proto__": "odd"}') as Record<string, string>;

const cases = {
  'what was given': { record: { main: '1' }, name: 'main', finds: '1' },
  'what was given under a name that all objects have': {
    record: parsed,
    name: 'toString',
    finds: 'text',
  },
  'what JSON gives under the name of the prototype': {
    record: parsed,
    name: '__proto__',
    finds: 'odd',
  },
  'nothing of what is inherited': { record: {}, name: 'constructor', finds: undefined },
  'no prototype': { record: {}, name: '__proto__', finds: undefined },
  'nothing in no record': { record: undefined, name: 'main', finds: undefined },
} as const;

for (const [title, { record, name, finds }] of Object.entries(cases)) {
  test(`one finds ${title}`, (t) => t.is(own<string>(record, name), finds));
}
