import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { BongsuError } from '@app/protocol';

/** The one source of time in every process. */
export abstract class Clock {
  /** Milliseconds since 1970. */
  abstract now(): number;
}

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }
}

/** What a simulated clock's file holds: the time is `at` + (real time − `setAt`) × `rate`. Milliseconds. */
export interface ClockFile {
  at: number;
  setAt: number;
  /** 0 stands still, 1 runs like a real clock. */
  rate: number;
}

/** How long a reading of the file is good for, ms: reading it is cheap, a million times is not. */
const READ_EVERY_MS = 5;

/** A clock that whoever drives a simulation sets through a file that all processes share. */
export class SimulatedClock extends Clock {
  private file: ClockFile;
  private readAt = 0;

  constructor(private readonly path: string) {
    super();
    this.file = this.read();
  }

  now(): number {
    const real = Date.now();
    if (real - this.readAt >= READ_EVERY_MS) this.file = this.read();
    return Math.floor(this.file.at + (real - this.file.setAt) * this.file.rate);
  }

  private read(): ClockFile {
    this.readAt = Date.now();
    const file = JSON.parse(readFileSync(this.path, 'utf8')) as ClockFile;
    if (![file.at, file.setAt, file.rate].every(Number.isFinite))
      throw new BongsuError('CONFIG_INVALID', `${this.path} is not a clock file.`, 'CLOCK_FILE');
    return file;
  }
}

/** Sets a simulated clock for every process that reads `path`, at once and whole. `at` in ms since 1970. */
export function writeClockFile(path: string, at: number, rate = 1): void {
  const file: ClockFile = { at, setAt: Date.now(), rate };
  writeFileSync(`${path}.new`, JSON.stringify(file));
  renameSync(`${path}.new`, path);
}

/**
 * The process's clock: the simulated one where `CLOCK_FILE` names a file, else the system's.
 * @throws {BongsuError} CONFIG_INVALID for a simulated clock in production, or an unreadable file
 */
export function clockFromEnv(env: NodeJS.ProcessEnv): Clock {
  const path = env['CLOCK_FILE'];
  if (!path) return new SystemClock();
  if (env['NODE_ENV'] === 'production')
    throw new BongsuError(
      'CONFIG_INVALID',
      'CLOCK_FILE: a simulated clock is refused when NODE_ENV=production; unset it.',
      'CLOCK_FILE',
    );
  try {
    return new SimulatedClock(path);
  } catch (error) {
    if (error instanceof BongsuError) throw error;
    throw new BongsuError('CONFIG_INVALID', `CLOCK_FILE: ${path} cannot be read as a clock file.`, 'CLOCK_FILE');
  }
}

/** A clock for tests: stands where it is put. */
export class FakeClock extends Clock {
  constructor(public at: number) {
    super();
  }

  now(): number {
    return this.at;
  }
}
