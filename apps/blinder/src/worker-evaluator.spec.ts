import { transformFileSync } from '@swc/core';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { blind, deriveKeyPair, finalize } from '@app/blinding';
import { WorkerEvaluator } from './worker-evaluator.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');
const { secretKey, publicKey } = deriveKeyPair(new Uint8Array(32).fill(9), Buffer.from('worker'));
const silent = pino({ level: 'silent' });

/** A thread cannot load TypeScript: what the worker needs is compiled to a folder from which packages resolve. */
function compileWorker(out: string): URL {
  const libraries = ['blinding', 'protocol'];
  const compile = (from: string, to: string): void => {
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const source = join(from, entry.name);
      if (entry.isDirectory()) compile(source, join(to, entry.name));
      else if (entry.name.endsWith('.json')) cpSync(source, join(to, entry.name));
      else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts')) {
        const { code } = transformFileSync(source, {
          swcrc: false,
          jsc: { parser: { syntax: 'typescript', decorators: true }, target: 'es2022' },
        });
        mkdirSync(to, { recursive: true });
        const linked = code.replace(/(['"])@app\/(\w+)\1/g, (_all, _quote, name) =>
          JSON.stringify(pathToFileURL(join(out, name as string, 'index.js')).href),
        );
        writeFileSync(join(to, entry.name.replace(/\.ts$/, '.js')), linked);
      }
    }
  };
  for (const name of libraries) compile(join(root, 'libs', name, 'src'), join(out, name));
  compile(here, join(out, 'blinder'));
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  return pathToFileURL(join(out, 'blinder', 'evaluate-worker.js'));
}

describe('evaluation on a thread of its own', () => {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const out = mkdtempSync(join(root, 'dist', '.worker-spec-'));
  let evaluator: WorkerEvaluator;
  let script: URL;

  beforeAll(() => {
    script = compileWorker(out);
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));
  beforeEach(() => {
    evaluator = new WorkerEvaluator(secretKey, silent, script);
  });
  afterEach(async () => evaluator.close());

  it('answers each of several batches with its own evaluation and proof', async () => {
    const batches = [1, 3, 20].map((size) =>
      blind(Array.from({ length: size }, (_, i) => Buffer.from(`${size}/${i}`))),
    );
    const answers = await Promise.all(batches.map(({ blinded }) => evaluator.evaluate(blinded)));
    for (const [i, { state }] of batches.entries()) {
      const { evaluated, proof } = answers[i]!;
      expect(() => finalize(state, evaluated, proof, publicKey)).not.toThrow();
    }
  });

  it('refuses a bad element by its place and goes on with the next batch', async () => {
    const { blinded } = blind([Buffer.from('a')]);
    const bad = evaluator.evaluate([blinded[0]!, new Uint8Array(32)]);
    await expect(bad).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('Element 1') });
    await expect(evaluator.evaluate([new Uint8Array(31)])).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(evaluator.evaluate(blinded)).resolves.toBeDefined();
  });

  it('refuses more than can wait, and everything once closed', async () => {
    const element = blind([Buffer.from('a')]).blinded[0]!;
    const waiting = evaluator.evaluate(Array<Uint8Array>(20_000).fill(element));
    await expect(evaluator.evaluate([element])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' }), evaluator.close()]);
    await expect(evaluator.evaluate([element])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('refuses what was pending when the thread dies, and starts another for the next batch', async () => {
    const broken = new URL('broken-worker.js', script);
    const armed = join(out, 'armed');
    // Dies at its first message while the marker is there; is the real worker afterwards.
    writeFileSync(
      fileURLToPath(broken),
      `import { existsSync, rmSync } from 'node:fs';
       import { parentPort } from 'node:worker_threads';
       const armed = ${JSON.stringify(armed)};
       if (existsSync(armed)) parentPort.once('message', () => { rmSync(armed); throw new Error('out of memory'); });
       else await import('./evaluate-worker.js');`,
    );
    writeFileSync(armed, '');
    const fragile = new WorkerEvaluator(secretKey, silent, broken);
    const { state, blinded } = blind([Buffer.from('a')]);
    await expect(fragile.evaluate(blinded)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const { evaluated, proof } = await fragile.evaluate(blinded);
    expect(() => finalize(state, evaluated, proof, publicKey)).not.toThrow();
    await fragile.close();
  });
});
