// Tests on the lab's real hosts (npm run lab -- up): one file at a time, because the hosts are shared.
export default {
  extensions: ['ts'],
  files: ['test/lab/**/*.test.ts'],
  timeout: '10m',
  serial: true,
  concurrency: 1,
};
