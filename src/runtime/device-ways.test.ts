// What containerd says of itself about devices, by its lines.
import test from 'ava';
import { deviceWaysIn } from './device-ways.ts';

const dirs = ['/etc/cdi', '/var/run/cdi'];
const cases: Readonly<Record<string, readonly [unknown, readonly string[] | undefined]>> = {
  '1.6 knows nothing of it': [{}, undefined],
  '1.7 has it off': [{ enableCDI: false, cdiSpecDirs: dirs }, undefined],
  'it is switched on': [{ enableCDI: true, cdiSpecDirs: dirs }, dirs],
  'without a switch it is on where it has directories': [{ cdiSpecDirs: dirs }, dirs],
  'switched on without a directory it can find nothing': [{ enableCDI: true }, undefined],
  'something else was answered': [null, undefined],
};
for (const [title, [config, found]] of Object.entries(cases)) {
  test(`CDI by containerd: ${title}`, (t) => t.deepEqual(deviceWaysIn(config).cdiSpecDirs, found));
}

test('NVIDIA’s runtime is known by its program, whatever the handler is called', (t) => {
  const config = {
    containerd: {
      runtimes: {
        runc: { options: { BinaryName: '' } },
        gpu: { options: { BinaryName: '/usr/bin/nvidia-container-runtime.cdi' } },
        odd: null,
      },
    },
  };
  t.deepEqual([...deviceWaysIn(config).nvidiaHandlers], ['gpu']);
});

for (const [name, handlers] of Object.entries({ gpu: ['gpu', ''], runc: ['gpu'], '': ['gpu'] })) {
  test(`with "${name}" by default, pods that name no handler are NVIDIA’s: ${handlers.length > 1}`, (t) => {
    const runtimes = {
      runc: { options: { BinaryName: '/usr/bin/runc' } },
      gpu: { options: { BinaryName: '/usr/bin/nvidia-container-runtime' } },
    };
    const config = { containerd: { runtimes, ...(name !== '' && { defaultRuntimeName: name }) } };
    t.deepEqual([...deviceWaysIn(config).nvidiaHandlers], handlers);
  });
}
