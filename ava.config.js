// Node strips the types itself; suites that need real hosts have a configuration of their own (test/lab).
export default {
  extensions: ['ts'],
  files: ['test/**/*.test.ts', '!test/lab/**'],
  timeout: '2m',
};
