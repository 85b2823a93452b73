// The real thing: needs root and containerd; `scripts/test` prepares both.
export default {
  files: ['e2e/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  concurrency: 4,
  timeout: '5m',
};
