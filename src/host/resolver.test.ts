import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { isOutOfReach, parseResolvConf, readResolver } from './resolver.ts';

test('a resolv.conf is read as the kubelet reads it', (t) => {
  const text = `
# written by hand
domain ignored.test
search first.test
nameserver 10.0.0.1 # the router
nameserver fd00::1
; nameserver 9.9.9.9
search lab.test. sub.lab.test .
options ndots:2 timeout:1
options ndots:5 rotate
sortlist 1.2.3.4
nameserver`;
  t.deepEqual(parseResolvConf(text), {
    servers: ['10.0.0.1', 'fd00::1'],
    searches: ['lab.test', 'sub.lab.test'],
    options: ['ndots:5', 'timeout:1', 'rotate'],
  });
  t.deepEqual(parseResolvConf('search .\n'), { servers: [], searches: [], options: [] });
});

test('the resolver is that of the file as it is now', (t) => {
  const { file, write } = aFolder(t, 'resolv.conf');
  t.deepEqual(readResolver(file).config.servers, []);
  for (const server of ['192.0.2.1', '198.51.100.1']) {
    write(`nameserver ${server}\n`);
    t.deepEqual(readResolver(file), {
      file,
      config: { servers: [server], searches: [], options: [] },
    });
  }
});

const stub = 'nameserver 127.0.0.53\noptions edns0\n';
const real = 'nameserver 192.0.2.1\n';
const chosen: Record<string, readonly [etc: string, behind: string | undefined, is: string]> = {
  'a server that pods can reach': [real, 'nameserver 192.0.2.2\n', '192.0.2.1'],
  'one on the loopback, which knows another one': [stub, real, '192.0.2.1'],
  'one on the loopback for IPv6': ['nameserver ::1\n', real, '192.0.2.1'],
  'one on the loopback beside another one': [stub + real, 'nameserver 192.0.2.2\n', '127.0.0.53'],
  'one on the loopback that knows nobody': [stub, '', '127.0.0.53'],
  'one on the loopback that knows only itself': [stub, stub, '127.0.0.53'],
  'one on the loopback of a node without systemd-resolved': [stub, undefined, '127.0.0.53'],
};
for (const [title, [etc, behind, is]] of Object.entries(chosen)) {
  test(`of a node that asks ${title}`, (t) => {
    const own = aFolder(t, 'etc');
    const resolved = aFolder(t, 'behind');
    own.write(etc);
    if (behind !== undefined) resolved.write(behind);
    const resolver = readResolver(undefined, [own.file, resolved.file]);
    t.is(resolver.config.servers[0], is);
    t.is(isOutOfReach(resolver), is.startsWith('127.') && etc === stub);
  });
}

test('a file that is named is taken as it is, and an empty name is none', (t) => {
  const { file, write } = aFolder(t, 'resolv.conf');
  write(stub);
  t.is(readResolver(file).config.servers[0], '127.0.0.53');
  t.deepEqual(readResolver('').config, { servers: [], searches: [], options: [] });
});

function aFolder(t: ExecutionContext, name: string) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-resolver-'));
  t.teardown(() => fs.rmSync(directory, { recursive: true }));
  const file = path.join(directory, name);
  return { file, write: (text: string) => fs.writeFileSync(file, text) };
}
