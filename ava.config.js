// Unit tests: they sit beside the code and need neither root nor containerd.
export default {
  files: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
  extensions: ['ts'],
  // Between its fork and its exec a child holds all that its parent has open: files that are just written,
  // locks, sockets. In a process of its own no test meets the children of another one.
  workerThreads: false,
  // See scripts/node.
  nodeArguments: ['--no-wasm-dynamic-tiering', '--no-wasm-tier-up'],
  // Without any progress. What hangs is found as well after minutes as after seconds.
  timeout: '5m',
};
