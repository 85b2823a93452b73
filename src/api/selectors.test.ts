import test from 'ava';
import { ApiError } from './api-status.ts';
import { selection } from './selectors.ts';

const object = { metadata: { name: 'web', labels: { app: 'web', tier: '' } } };
const fields = { 'metadata.name': (one: typeof object) => one.metadata.name };

const select = (query: string): boolean => selection(new URLSearchParams(query), fields)(object);

const cases: Record<string, boolean> = {
  '': true,
  'labelSelector=app=web': true,
  'labelSelector=app==web': true,
  'labelSelector=app%20=%20web': true,
  'labelSelector=app=db': false,
  'labelSelector=app!=db': true,
  'labelSelector=other!=db': true,
  'labelSelector=tier=': true,
  'labelSelector=app': true,
  'labelSelector=!app': false,
  'labelSelector=!other': true,
  'labelSelector=constructor': false,
  'labelSelector=!constructor': true,
  'labelSelector=app=web,other': false,
  'fieldSelector=metadata.name=web': true,
  'fieldSelector=metadata.name!=web': false,
  'fieldSelector=metadata.name=web&labelSelector=app=db': false,
};

for (const [query, isSelected] of Object.entries(cases)) {
  test(`"${query}" ${isSelected ? 'lets it through' : 'holds it back'}`, (t) =>
    t.is(select(query), isSelected));
}

for (const query of [
  'labelSelector=app in (web)',
  'labelSelector==web',
  'fieldSelector=metadata.name',
  'fieldSelector=spec.other=1',
  'fieldSelector=constructor=web',
]) {
  test(`"${query}" is refused`, (t) => {
    t.is(t.throws(() => select(query), { instanceOf: ApiError }).reason, 'BadRequest');
  });
}
