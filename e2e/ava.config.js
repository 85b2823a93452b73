import { timeScale } from './pace.ts';

// The real thing: needs root and containerd; `scripts/test` prepares both.
export default {
  files: ['e2e/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  // See scripts/node.
  nodeArguments: ['--no-wasm-dynamic-tiering', '--no-wasm-tier-up'],
  concurrency: 4,
  // An emulated machine has enough to do with the pods of one test.
  serial: timeScale >= 10,
  timeout: '5m',
};
