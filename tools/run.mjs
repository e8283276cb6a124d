/**
 * `node tools/run.mjs MODULE [ARGS…]`: builds what is out of date, then runs dist/MODULE in this process.
 * `node tools/run.mjs test [ARGS…]`: builds, then runs jest.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'dist', '.built');
const lock = join(root, 'dist', '.building');
const require = createRequire(import.meta.url);

function newestSource(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return /\.(ts|json)$/.test(path) ? stat.mtimeMs : 0;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestSource(join(path, name))), 0);
}

function upToDate() {
  const sources = [
    'apps',
    'libs',
    'migrations',
    'test/bench',
    'package.json',
    'nest-cli.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ];
  return existsSync(stamp) && sources.every((name) => newestSource(join(root, name)) < statSync(stamp).mtimeMs);
}

/** True once this process holds the lock, which names its holder: one that is gone was killed, and holds nothing. */
function takeLock() {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (holderIsGone()) rmSync(lock, { force: true });
    return false;
  }
}

function holderIsGone() {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Runs node to its end and ends with it: Ctrl-C reaches both by themselves, what ends us alone is passed on. */
async function runNode(args, stdio) {
  const child = spawn(process.execPath, args, { cwd: root, stdio });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
  const wait = () => undefined;
  const passOn = () => child.kill('SIGTERM');
  process.on('SIGINT', wait).on('SIGTERM', passOn).on('SIGHUP', passOn);
  const status = await new Promise((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal])),
  );
  process.off('SIGINT', wait).off('SIGTERM', passOn).off('SIGHUP', passOn);
  return { status, said };
}

async function build() {
  while (!takeLock()) {
    await setTimeout(200);
    if (upToDate()) return;
  }
  try {
    // What changes while it is being built is newer than this, and built the next time.
    const started = new Date();
    process.stderr.write('Building (about 20 seconds, once) … ');
    const nest = builder();
    const { status, said } = nest
      ? await runNode([nest, 'build'], ['ignore', 'pipe', 'pipe'])
      : { status: 1, said: 'The packages that build are missing: run `npm ci --include=dev`.\n' };
    if (status !== 0) {
      process.stderr.write(`failed\n${said}`);
      process.exitCode = status;
      return;
    }
    process.stderr.write(`done in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
    writeFileSync(stamp, '');
    utimesSync(stamp, started, started);
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Nest's command, or null where only the packages for running are installed. */
function builder() {
  try {
    return join(dirname(require.resolve('@nestjs/cli/package.json')), 'bin', 'nest.js');
  } catch {
    return null;
  }
}

if (!upToDate()) await build();
if (process.exitCode) process.exit();

const [target, ...args] = process.argv.slice(2);
if (target === 'test') {
  const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
  const flags = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', jest, ...args];
  process.exit((await runNode(flags, 'inherit')).status);
}
const main = join(root, 'dist', target);
process.argv = [process.argv[0], main, ...args];
await import(pathToFileURL(main).href);
