/**
 * `node tools/run.mjs MODULE [ARGS…]`: builds what is out of date, then runs dist/MODULE in this process.
 * `node tools/run.mjs test [ARGS…]`: builds, then runs jest.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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
  const sources = ['apps', 'libs', 'migrations', 'package.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
  return existsSync(stamp) && sources.every((name) => newestSource(join(root, name)) < statSync(stamp).mtimeMs);
}

/** True once this process holds the lock. One that is older than three minutes was left by a killed build. */
function takeLock() {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    mkdirSync(lock);
    return true;
  } catch {
    if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 180_000) rmdirSync(lock);
    return false;
  }
}

function build() {
  while (!takeLock()) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    if (upToDate()) return;
  }
  try {
    const started = new Date();
    process.stderr.write('Building (about 20 seconds, once) … ');
    const nest = join(dirname(require.resolve('@nestjs/cli/package.json')), 'bin', 'nest.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [nest, 'build'], { cwd: root, encoding: 'utf8' });
    if (status !== 0) {
      process.stderr.write(`failed\n${stdout}${stderr}`);
      process.exit(1);
    }
    process.stderr.write(`done in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
    writeFileSync(stamp, '');
  } finally {
    rmdirSync(lock);
  }
}

if (!upToDate()) build();

const [target, ...args] = process.argv.slice(2);
if (target === 'test') {
  const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
  const flags = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', jest, ...args];
  process.exit(spawnSync(process.execPath, flags, { cwd: root, stdio: 'inherit' }).status ?? 1);
}
const main = join(root, 'dist', target);
process.argv = [process.argv[0], main, ...args];
await import(pathToFileURL(main).href);
