#!/usr/bin/env node
// Starts tsplay under the pinned Node: the one this package depends on, where the machine's is older than 24.
// Kept in plain JavaScript that old versions understand, and free of dependencies.
import {spawn} from 'node:child_process';
import {existsSync, readdirSync, statSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** dist/ serves unless this is a checkout whose sources are newer. */
function entryPoint() {
  const built = path.join(root, 'dist', 'src', 'cli', 'main.js');
  const source = path.join(root, 'src', 'cli', 'main.ts');
  if (!existsSync(source)) return built;
  if (!existsSync(built)) return source;
  const stamp = path.join(root, 'dist', '.built');
  const builtMs = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  return newest(path.join(root, 'src')) > builtMs || newest(path.join(root, 'modules')) > builtMs ? source : built;
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, {withFileTypes: true, recursive: true})) {
    if (entry.isFile())
      latest = Math.max(latest, statSync(path.join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return latest;
}

const major = Number(process.versions.node.split('.')[0]);
if (major >= 24) {
  await import(new URL(`file://${entryPoint()}`).href);
} else {
  const require = createRequire(import.meta.url);
  let binary;
  try {
    binary = path.join(path.dirname(require.resolve('node/package.json')), 'bin', 'node');
  } catch {
    binary = undefined;
  }
  if (binary === undefined || !existsSync(binary)) {
    process.stderr.write(
      `tsplay needs Node 24 or newer (this is ${process.versions.node}) and its own copy is not installed: run npm ci\n`,
    );
    process.exit(1);
  }
  const child = spawn(binary, ['--disable-warning=ExperimentalWarning', entryPoint(), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exitCode = code ?? 70;
  });
}
