// What holds for a machine that scripts/provision made ready; scripts/vm runs it in one.
export default {
  files: ['e2e/machine/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  // See scripts/node.
  nodeArguments: ['--no-wasm-dynamic-tiering', '--no-wasm-tier-up'],
  timeout: '5m',
};
