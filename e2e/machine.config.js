// What holds for a machine that scripts/provision made ready; scripts/vm runs it in one.
export default {
  files: ['e2e/machine/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  timeout: '5m',
};
