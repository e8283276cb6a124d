import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEntries } from './staff-lists.js';

describe('a file of warning list entries', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lists-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const read = (text: string, allowPrivate = false) => {
    writeFileSync(join(folder, 'list.txt'), text);
    return readEntries(join(folder, 'list.txt'), allowPrivate);
  };

  it('has one a line, with comments and blank lines between', () => {
    expect(read('# exits\r\n\r\n185.220.101.0/24 # a host\r\n1.1.1.1\n')).toEqual(['1.1.1.1/32', '185.220.101.0/24']);
    expect(read('10.0.0.0/16', true)).toEqual(['10.0.0.0/16']);
  });

  it.each([
    ['1.1.1.1\n\n# x\nnonsense\n', 4],
    ['10.0.0.1', 1],
    ['1.1.1.1\n1.2.3.4/24\n', 2],
  ])('names the line that does not fit: %j', (text, line) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_INPUT',
        message: expect.stringMatching(`^.*list.txt, line ${line} (is|has)`) as unknown,
      }) as Error,
    );
  });

  it('is there, and not empty', () => {
    expect(() => read('# nothing\n')).toThrow(/1 to 100000 entries/);
    expect(() => readEntries(join(folder, 'none.txt'), false)).toThrow(/cannot be read/);
  });
});
