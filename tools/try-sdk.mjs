/**
 * `node tools/try-sdk.mjs`: packs the SDK, installs it into an empty folder as a stranger would, compiles
 * docs/examples/sdk.ts there with every type checked, runs it, and says whether it did what it should.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const EXPECTED = ['accepted 1, rejected 0', 'recommended warn for the own key', 'reported: EXECUTED'];
const folder = mkdtempSync(join(tmpdir(), 'bongsu-sdk-'));

function run(command, args) {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 2] });
}

try {
  const tgz = run(process.execPath, [join(root, 'tools', 'pack-sdk.mjs'), folder]).trim();
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","private":true,"type":"module"}\n');
  run('npm', ['install', '--no-fund', '--no-audit', '--ignore-scripts', tgz]);
  cpSync(join(root, 'docs', 'examples', 'sdk.ts'), join(folder, 'sdk.ts'));
  const tsc = require.resolve('typescript/bin/tsc');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck', 'false', ...types];
  run(process.execPath, [tsc, ...options, 'sdk.ts']);
  const said = run(process.execPath, ['sdk.js']).trim().split('\n');
  if (said.join('\n') !== EXPECTED.join('\n'))
    throw new Error(`the example said\n${said.join('\n')}\ninstead of\n${EXPECTED.join('\n')}`);
  process.stdout.write(`The SDK stands alone: ${said.join('; ')}\n`);
} catch (error) {
  process.stderr.write(`The SDK does not stand alone: ${error.stdout ?? ''}${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
