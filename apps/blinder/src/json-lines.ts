import { appendFileSync, closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

/**
 * The objects of a JSON-lines file, oldest first; none when there is no file. A line that is no object, such as one torn
 * by a crash, is passed over.
 */
export function readJsonLines(path: string): Record<string, unknown>[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [];
    } catch {
      return [];
    }
  });
}

/** Ends a line that a crash left torn, so that the next one is not joined to it. */
export function mendJsonLines(path: string): void {
  const fd = openSync(path, 'a+', 0o600);
  try {
    const { size } = fstatSync(fd);
    const last = Buffer.alloc(1);
    if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) appendFileSync(fd, '\n');
  } finally {
    closeSync(fd);
  }
}

/** Appends one object as a line. It is in the kernel's hands on return, so it outlives the process, not the machine. */
export function appendJsonLine(path: string, value: object): void {
  appendFileSync(path, `${JSON.stringify(value)}\n`, { mode: 0o600 });
}
