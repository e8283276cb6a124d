import {
  appendFile,
  copyFile,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { FilePosition } from '../state/agent-state.js';
import { LineFile } from './line-file.js';

describe('following a file', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lines-'));
    path = join(dir, 'access.log');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const drain = async (file: LineFile, atEnd = false): Promise<string[]> => {
    const all: string[] = [];
    for (let i = 0; i < 50; i++) {
      const lines = await file.read(1 << 20, atEnd);
      if (lines === null) break;
      all.push(...lines.texts);
    }
    return all;
  };

  it('gives whole lines only, until nothing more comes', async () => {
    await writeFile(path, 'one\r\ntwo\nthr');
    const file = new LineFile(path, null);
    expect(await drain(file)).toEqual(['one', 'two']);
    await appendFile(path, 'ee\nfour');
    expect(await drain(file)).toEqual(['three']);
    expect(await drain(file, true)).toEqual(['four']);
    await file.close();
  });

  it('waits for a file that is not there yet', async () => {
    const file = new LineFile(path, null);
    expect(await file.read(100)).toBeNull();
    await writeFile(path, 'one\n');
    expect(await drain(file)).toEqual(['one']);
    await file.close();
  });

  it('reads the rest of a file that was renamed, then the new one', async () => {
    await writeFile(path, 'one\n');
    const file = new LineFile(path, null);
    await drain(file);
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, 'two\n');
    expect(await drain(file)).toEqual(['two']);
    await appendFile(`${path}.1`, 'three');
    await writeFile(path, 'four\n');
    expect(await drain(file)).toEqual(['three', 'four']);
    await file.close();
  });

  it('finds a file that was renamed while no agent ran', async () => {
    await writeFile(path, 'one\ntwo\n');
    const file = new LineFile(path, null);
    await file.read(1 << 20);
    const first = (await file.read(1 << 20))!;
    await file.close();
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, 'three\n');
    await writeFile(path, 'four\n');
    const again = new LineFile(path, first.position);
    expect(await drain(again)).toEqual(['three', 'four']);
    await again.close();
  });

  it('reads every file between when there were several rotations meanwhile, and no other log', async () => {
    await writeFile(path, 'one\n');
    const file = new LineFile(path, null);
    await drain(file);
    await appendFile(path, 'two\n');
    for (const text of ['three', 'four', 'five']) {
      await new Promise((next) => setTimeout(next, 5));
      await rename(`${path}.1`, `${path}.2`).catch(() => {});
      await rename(path, `${path}.1`);
      if (text === 'five') await rename(`${path}.1`, `${path}-20260601`);
      await writeFile(path, `${text}\n`);
      await writeFile(join(dir, 'access-errors.log'), 'other\n');
    }
    expect(await drain(file)).toEqual(['two', 'three', 'four', 'five']);
    await file.close();
  });

  it('reads the rest in the copy after copy and truncation', async () => {
    await writeFile(path, 'one\n');
    const file = new LineFile(path, null);
    await drain(file);
    await appendFile(path, 'two\n');
    await copyFile(path, `${path}.1`);
    await truncate(path);
    await appendFile(path, 'three\n');
    expect(await drain(file)).toEqual(['two', 'three']);
    await file.close();
  });

  it('starts again in a file that was truncated, and says what is lost', async () => {
    await writeFile(path, 'one\ntwo\n');
    const file = new LineFile(path, null);
    await drain(file);
    await writeFile(path, 'new\n');
    const lines = await file.read(1 << 20);
    expect(lines).toMatchObject({ texts: ['new'], first: 1 });
    expect(lines!.notes.join()).toMatch(/truncated/);
    await file.close();
  });

  it('goes on in a file that was written anew with what was there and more', async () => {
    await writeFile(path, 'one\n');
    const file = new LineFile(path, null);
    await drain(file);
    await writeFile(`${path}.new`, 'one\ntwo\n');
    await rename(`${path}.new`, path);
    expect(await drain(file)).toEqual(['two']);
    await file.close();
  });

  it('passes over a line that is too long, and counts it', async () => {
    await writeFile(path, `one\n${'x'.repeat(3_000_000)}\ntwo\n`);
    const file = new LineFile(path, null);
    const texts: string[] = [];
    for (let lines = await file.read(1 << 20); lines !== null; lines = await file.read(1 << 20))
      lines.texts.forEach((text, i) => texts.push(lines.tooLong.includes(lines.first + i) ? 'too long' : text));
    expect(texts).toEqual(['one', 'too long', 'two']);
    await file.close();
  });

  it('finds a file again that was rotated away before its first line was whole, over a restart', async () => {
    await writeFile(path, 'one\n');
    let file = new LineFile(path, null);
    await drain(file);
    await rename(path, `${path}.1`);
    await appendFile(path, 'tw');
    const position = (await file.read(1 << 20))!.position;
    await file.close();
    await appendFile(path, 'o\n');
    await rename(path, `${path}.2`);
    await appendFile(path, 'three\n');
    file = new LineFile(path, position);
    expect(await drain(file)).toEqual(['two', 'three']);
    await file.close();
  });

  describe('that rotation compresses', () => {
    /** As gzip and logrotate do: the compressed file has the time of the one that it replaces. */
    const compress = async (file: string, keepTime = true) => {
      const { atime, mtime } = await stat(file);
      await writeFile(`${file}.gz`, gzipSync(await readFile(file)));
      if (keepTime) await utimes(`${file}.gz`, atime, mtime);
      await rm(file);
    };
    const tick = () => new Promise((passed) => setTimeout(passed, 15));

    it.each([true, false])('reads its rest, then the new one (time kept: %s)', async (keepTime) => {
      await writeFile(path, 'one\n');
      let file = new LineFile(path, null);
      await drain(file);
      const position = (await readOn(file, 'two\n'))!.position;
      await file.close();
      await appendFile(path, 'three\nfour');
      await rename(path, `${path}.1`);
      await compress(`${path}.1`, keepTime);
      await tick();
      await writeFile(path, 'five\n');
      file = new LineFile(path, position);
      expect(await drain(file)).toEqual(['three', 'four', 'five']);
      await file.close();
    });

    const readOn = async (file: LineFile, text: string) => {
      await appendFile(path, text);
      return file.read(1 << 20);
    };

    it('reads those between too, and none twice that was read before it was compressed', async () => {
      await writeFile(path, 'one\n');
      const file = new LineFile(path, null);
      expect(await drain(file)).toEqual(['one']);
      await tick();
      await rename(path, `${path}.1`);
      await writeFile(path, 'two\n');
      expect(await drain(file)).toEqual(['two']);
      await compress(`${path}.1`, false);
      await rename(path, `${path}.2`);
      await tick();
      await writeFile(path, 'three\n');
      await rename(path, `${path}.3`);
      await compress(`${path}.3`);
      await tick();
      await writeFile(path, 'four\n');
      expect(await drain(file)).toEqual(['three', 'four']);
      await file.close();
    });

    it('goes on in the middle of it, over a restart', async () => {
      const many = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${'x'.repeat(100)}`);
      await writeFile(path, '');
      let file = new LineFile(path, null);
      await drain(file);
      await appendFile(path, `${many.join('\n')}\n`);
      let { position, texts } = (await file.read(1 << 20))!;
      await file.close();
      await rename(path, `${path}-20260601`);
      await compress(`${path}-20260601`);
      await tick();
      await writeFile(path, 'last\n');
      const got = [...texts];
      for (let i = 0; i < 10; i++) {
        file = new LineFile(path, position);
        const lines = await file.read(1 << 20);
        await file.close();
        if (lines === null) break;
        ({ position, texts } = lines);
        got.push(...texts);
      }
      expect(got).toEqual([...many, 'last']);
    });

    it('leaves alone one that is still being written beside the file that it will replace', async () => {
      await writeFile(path, 'one\n');
      const file = new LineFile(path, null);
      await drain(file);
      await rename(path, `${path}.1`);
      await writeFile(path, 'two\n');
      await tick();
      await writeFile(`${path}.1.gz`, gzipSync('one\n').subarray(0, 12));
      expect(await drain(file)).toEqual(['two']);
      await file.close();
    });

    it('says what is lost where it cannot be read', async () => {
      await writeFile(path, 'one\n');
      const file = new LineFile(path, null);
      await drain(file);
      await tick();
      await writeFile(`${path}.1.xz`, 'packed');
      await tick();
      await rename(path, `${path}.2`);
      await writeFile(path, 'two\n');
      const lines = (await file.read(1 << 20))!;
      const more = await file.read(1 << 20);
      expect([...lines.texts, ...(more?.texts ?? [])]).toEqual(['two']);
      expect([...lines.notes, ...(more?.notes ?? [])].join()).toMatch(/1\.xz was compressed before it was read/);
      expect(lines.lostFiles + (more?.lostFiles ?? 0)).toBe(1);
      await file.close();
    });
  });

  it('looks for a file that was met but not read before this process ended', async () => {
    await writeFile(path, 'one\n');
    let file = new LineFile(path, null);
    const lines = (await file.read(1 << 20))!;
    expect(lines).toMatchObject({ texts: [], begun: true });
    await file.close();
    await rename(path, `${path}.1`);
    await new Promise((passed) => setTimeout(passed, 15));
    await writeFile(path, 'two\n');
    file = new LineFile(path, lines.position);
    expect(await drain(file)).toEqual(['one', 'two']);
    await file.close();
  });

  it('reads those that came after a file that is gone, and says what is lost', async () => {
    await writeFile(path, 'one\n');
    let file = new LineFile(path, null);
    await file.read(1 << 20);
    const { position } = (await file.read(1 << 20))!;
    await file.close();
    await new Promise((passed) => setTimeout(passed, 15));
    await writeFile(`${path}.1`, 'two\n');
    await rm(path);
    await new Promise((passed) => setTimeout(passed, 15));
    await writeFile(path, 'three\n');
    file = new LineFile(path, position);
    const lines = (await file.read(1 << 20))!;
    expect(lines).toMatchObject({ texts: ['two'], lostFiles: 1 });
    expect(lines.notes.join()).toMatch(/lost to the agent/);
    expect(await drain(file)).toEqual(['three']);
    await file.close();
  });

  it('gives every line once, however it is written, rotated and interrupted', async () => {
    const step = fc.constantFrom('write', 'half', 'rotate', 'read', 'restart');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await rm(dir, { recursive: true, force: true });
        dir = await mkdtemp(join(tmpdir(), 'lines-'));
        path = join(dir, 'access.log');
        let file = new LineFile(path, null);
        let position: FilePosition | null = null;
        let next = 0;
        let rotations = 0;
        let open = false;
        const got: string[] = [];
        const read = async (atEnd = false) => {
          for (let i = 0; i < 20; i++) {
            const lines = await file.read(1 << 20, atEnd);
            if (lines === null) return;
            got.push(...lines.texts);
            position = lines.position;
          }
        };
        // A file that was rotated away before it was ever seen is not looked for.
        await appendFile(path, `line ${next++}\n`);
        await read();
        for (const what of steps) {
          if (what === 'write') await appendFile(path, open ? 'end\n' : `line ${next++}\n`);
          if (what === 'write') open = false;
          if (what === 'half' && !open) {
            await appendFile(path, `line ${next++} `);
            open = true;
          }
          if (what === 'rotate' && next > 0 && !open) {
            // Files are told apart by when they were last written, which file systems know to a tick of up to 10 ms.
            await new Promise((passed) => setTimeout(passed, 15));
            await rename(path, `${path}.${++rotations}`).catch(() => {});
          }
          if (what === 'read') await read();
          if (what === 'restart') {
            await file.close();
            file = new LineFile(path, position);
          }
        }
        await appendFile(path, open ? 'end\n' : `line ${next++}\n`);
        await read();
        await read(true);
        await file.close();
        expect(got.map((text) => Number(/^line (\d+)/.exec(text)?.[1]))).toEqual(
          Array.from({ length: next }, (_, i) => i),
        );
      }),
      { numRuns: 60 },
    );
  });
});
