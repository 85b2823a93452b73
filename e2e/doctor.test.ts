// What reprise doctor says of a machine, with stand-ins for its devices, and without a containerd.
import path from 'node:path';
import test from 'ava';
import { startNode } from './node.ts';
import { StandIns } from './stand-ins.ts';

test('reprise doctor says what there is, what is wrong, and what to do', async (t) => {
  await using node = await startNode();
  const folder = path.join(node.dir, 'stand-ins');
  const standIns = await StandIns.make(folder, node.containerd.cdiDir, 1);
  await standIns.gpus('acme.test/gpu', {
    hooks: [{ hookName: 'createContainer', path: '/usr/bin/true' }],
  });
  await standIns.spec('broken.json', '{ not json');
  await standIns.driver();
  const options = standIns.options.slice(0, -2);
  const text = await node.ok('doctor', ...options);
  t.regex(text, /^ok {4}user: root$/m);
  t.regex(
    text,
    new RegExp(`^ok {4}containerd: ${node.containerd.version.split('~')[0]}.* at `, 'm'),
  );
  t.regex(text, /^(ok {4}|warn {2})resolver: .*resolv\.conf\)/m);
  t.regex(text, /^ok {4}pod network \(CNI\): ready$/m);
  t.regex(text, /^warn {2}CDI specification .*broken\.json: .*\n +try: /m);
  t.regex(text, /^ok {4}nvidia-smi: 1 GPUs, all healthy$/m);
  t.regex(text, /^ok {4}agent: none answers/m);
  // Whoever does not apply specifications cannot run hooks.
  const isByContainerd = /^ok {4}CDI: applied by containerd/m.test(text);
  t.is(isByContainerd, !node.containerd.version.startsWith('1.6.'));
  t.regex(text, /^ok {4}optional fields: .*recursiveReadOnly/m);
  t.is(/left out.*1 hooks/.test(text), !isByContainerd);

  const { exitCode, stdout } = await node.reprise([
    ...['doctor', '-o', 'json', '--containerd', '/nonexistent.sock'],
    ...options,
  ]);
  t.is(exitCode, 1);
  const { findings } = JSON.parse(stdout) as {
    findings: readonly { subject: string; verdict: string; next?: string }[];
  };
  const containerd = findings.find(({ subject }) => subject === 'containerd');
  t.is(containerd?.verdict, 'fail');
  t.truthy(containerd?.next);
});
