/**
 * `node tools/pack-sdk.mjs [FOLDER]`: the SDK as a package that stands alone, with the two libs it is built on inside
 * it. Prints the path of the .tgz, in FOLDER or dist.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lib = join(root, 'libs', 'member-sdk');
const out = join(root, 'dist', 'member-sdk');
const target = resolve(process.argv[2] ?? join(root, 'dist'));
const require = createRequire(import.meta.url);

rmSync(out, { recursive: true, force: true });
execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', lib], { stdio: ['ignore', 2, 2] });

// `@app/…` is this repository's own name for a lib: outside it only a path means anything.
for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
  if (!/\.(js|d\.ts)$/.test(entry.name)) continue;
  const file = join(entry.parentPath, entry.name);
  const text = readFileSync(file, 'utf8');
  const plain = text.replace(/(["'])@app\/([a-z-]+)\1/g, (_, quote, name) => {
    const path = relative(dirname(file), join(out, name, 'src', 'index.js'));
    return `${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`;
  });
  if (plain !== text) writeFileSync(file, plain);
}
for (const name of ['package.json', 'README.md']) cpSync(join(lib, name), join(out, name));
cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
mkdirSync(target, { recursive: true });
const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--pack-destination', target], { cwd: out, stdio: ['ignore', 'pipe', 2] }),
);
process.stdout.write(`${join(target, packed.filename)}\n`);
