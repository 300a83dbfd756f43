// Node strips the types itself; the lab suite runs serially because its hosts are shared.
export default {
  extensions: {ts: 'module'},
  files: ['test/**/*.test.ts', '!test/lab/**'],
  timeout: '2m',
  workerThreads: true,
};
