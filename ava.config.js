// Node strips the types itself; suites that need real hosts have a configuration of their own (test/lab).
export default {
  extensions: ['ts'],
  files: ['test/**/*.test.ts', '!test/lab/**'],
  require: ['./test/support/fixed-seed.ts'],
  timeout: '2m',
};
