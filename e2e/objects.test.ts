// ConfigMaps, Secrets and PersistentVolumeClaims from the command line to the disk and back.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { startNode } from './node.ts';

const settings = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { color: blue }
`;
const keys = `
apiVersion: v1
kind: Secret
metadata: { name: keys }
stringData: { password: hunter2 }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [ReadWriteOnce] }
`;

test('objects are applied, shown, changed, kept over a restart of the agent, and deleted', async (t) => {
  await using node = await startNode();
  const { run } = await node.agent();
  const folder = path.join(node.dir, 'manifests');
  await fs.mkdir(folder);
  await fs.writeFile(path.join(folder, '1.yaml'), settings);
  await fs.writeFile(path.join(folder, '2.yml'), keys);
  await fs.writeFile(path.join(folder, 'notes.txt'), 'not a manifest');
  const apply = async (): Promise<readonly string[]> => {
    const { all } = await node.reprise(['apply', '-f', folder]);
    return all.split('\n').filter((line) => !line.startsWith('note: '));
  };

  const all = (word: string): string[] => [
    `configmap/settings ${word}`,
    `secret/keys ${word}`,
    `persistentvolumeclaim/data ${word}`,
  ];
  t.deepEqual(await apply(), all('created'));
  t.deepEqual(await apply(), all('unchanged'));
  await fs.writeFile(path.join(folder, '1.yaml'), settings.replace('blue', 'red'));
  t.is((await apply())[0], 'configmap/settings configured');

  t.regex(
    await node.ok('get', 'secrets'),
    /^NAME +TYPE +DATA +AGE\nkeys +Opaque +1 +\d+[ms](\d+s)?$/,
  );
  t.is(await node.ok('get', 'cm', 'settings', '-o', 'jsonpath={.data.color}'), 'red');
  t.is(await node.ok('get', 'pvc/data', '-o', 'name'), 'persistentvolumeclaim/data');
  const secret = await fs.stat(path.join(node.dataDir, 'objects/secrets/default/keys.json'));
  t.is(secret.mode & 0o777, 0o600);

  run.kill('SIGTERM');
  const { all: said } = await run;
  t.notRegex(said, /hunter2|aHVudGVyMg/);
  const { run: next } = await node.agent();
  t.deepEqual(await apply(), all('unchanged'));
  t.is(await node.ok('delete', 'secret', 'keys'), 'secret "keys" deleted');
  const gone = await node.reprise(['get', 'secret', 'keys']);
  t.is(gone.exitCode, 1);
  t.regex(gone.all, /secrets "keys" not found/);
  await node.ok('delete', '-f', folder, '--ignore-not-found');
  t.regex(await node.ok('get', 'configmaps'), /No resources found/);
  next.kill('SIGTERM');
  await next;
});

test('a faulty Secret is refused without a word of what is in it', async (t) => {
  await using node = await startNode();
  const { run } = await node.agent();
  const file = await node.manifest(keys.replace('hunter2', '31337'));
  const { exitCode, all } = await node.reprise(['apply', '-f', file]);
  t.is(exitCode, 2);
  t.regex(all, /stringData\.password/);
  t.notRegex(all, /31337/);
  run.kill('SIGTERM');
  await run;
});
