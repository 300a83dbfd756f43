import module from 'node:module';

// The compile cache halves the start of later runs; only then is anything else loaded.
module.enableCompileCache();
// A reader that has seen enough (`| head`) is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}
const {program} = await import('./program.ts');
await program(process.argv.slice(2));
