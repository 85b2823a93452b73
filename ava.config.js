// Unit tests: they sit beside the code and need neither root nor containerd.
export default {
  files: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: true,
  timeout: '60s',
};
