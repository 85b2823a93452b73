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
  'labelSelector=app,tier=': true,
  'labelSelector=app in (web)': true,
  'labelSelector=app in (db,web)': true,
  'labelSelector=app in(db , web ) , tier': true,
  'labelSelector=app in (db,cache)': false,
  'labelSelector=app notin (db,cache)': true,
  'labelSelector=app notin (db,web)': false,
  'labelSelector=other in (web,)': false,
  'labelSelector=other notin (web)': true,
  'labelSelector=constructor notin (web)': true,
  'labelSelector=tier in (,gold)': true,
  'labelSelector=tier in (gold,)': true,
  'labelSelector=tier notin (,)': false,
  'labelSelector=app in (web),tier notin (gold,silver),!other': true,
  'labelSelector=app in (web),app in (db)': false,
  'labelSelector=in notin (a),notin': false,
  'labelSelector=app!=in': true,
  'labelSelector=! other': true,
  'labelSelector= ': true,
  'fieldSelector=metadata.name=web': true,
  'fieldSelector=metadata.name!=web': false,
  'fieldSelector=metadata.name=web&labelSelector=app=db': false,
};

for (const [query, isSelected] of Object.entries(cases)) {
  test(`"${query}" ${isSelected ? 'lets it through' : 'holds it back'}`, (t) =>
    t.is(select(query), isSelected));
}

const refused: Record<string, RegExp> = {
  'labelSelector==web': /^label selector "=web": it is not understood at "=web"$/,
  'labelSelector=tier,app in web': /^label selector "tier,app in web": .* at "app in web"$/,
  'labelSelector=app in (web': /at "app in \(web"$/,
  'labelSelector=app in (web db)': /"web db" can be the value of no label$/,
  'labelSelector=app in ((web))': /at "app in /,
  'labelSelector=appin (web)': /at "appin \(web\)"$/,
  'labelSelector=app in ( )': /"app in" needs a value$/,
  'labelSelector=app In (web)': /at "app In/,
  'labelSelector=app (web)': /at "app \(web\)"$/,
  'labelSelector=app=web tier': /at "app=web tier"$/,
  'labelSelector=app=web,': /at ""$/,
  'labelSelector=app,,tier': /at ",tier"$/,
  'labelSelector=!app=web': /"!app" takes no value$/,
  'labelSelector=app=a/b': /"a\/b" can be the value of no label$/,
  'labelSelector=a/b/c': /"a\/b\/c" can be the key of no label$/,
  'labelSelector=app>1': /at "app>1"$/,
  'fieldSelector=metadata.name': /^field selector "metadata.name" is not supported$/,
  'fieldSelector=metadata.name in (web)': /^field selector "metadata.name in \(web\)"/,
  'fieldSelector=spec.other=1': /^field selector "spec.other=1"/,
  'fieldSelector=constructor=web': /^field selector "constructor=web"/,
};

for (const [query, message] of Object.entries(refused)) {
  test(`"${query}" is refused`, (t) => {
    const error = t.throws(() => select(query), { instanceOf: ApiError, message });
    t.is(error.reason, 'BadRequest');
  });
}

test('a long selector is read in one go', (t) => {
  const [spaces, commas] = [' '.repeat(1e6), ','.repeat(1e6)];
  for (const selector of [`a${spaces}(`, `!${spaces}(`, `a in (${commas}`, `a=${spaces}=`]) {
    const query = new URLSearchParams({ labelSelector: selector });
    t.throws(() => selection(query, fields), { instanceOf: ApiError });
  }
});
