import { readFileSync, statSync } from 'node:fs';
import { BongsuError, isAllowablePrivateRange, refuseDevelopment } from '@app/protocol';

export { onStop, runMain, sayReady } from './process.js';

/**
 * Reads typed configuration from environment variables, once, at boot. Every failure names the variable, what it held
 * and what was expected.
 */
export class ConfigReader {
  /** @param warn told what is unsafe and tolerated outside production */
  constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly warn: (text: string) => void = (text) => void process.stderr.write(`${text}\n`),
  ) {}

  /** A text, or the fallback. Without a fallback the variable is required. */
  text(name: string, fallback?: string): string {
    const value = this.env[name] || fallback;
    if (value === undefined) throw invalid(name, undefined, 'a value; it is required');
    return value;
  }

  optional(name: string): string | undefined {
    return this.env[name] || undefined;
  }

  /** A whole number within bounds, inclusive. */
  whole(name: string, fallback: number, least: number, most: number): number {
    const text = this.env[name];
    if (!text) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw invalid(name, text, `a whole number from ${least} to ${most}`);
    return value;
  }

  /** A TCP port; 0 = any free one. */
  port(name: string, fallback: number): number {
    return this.whole(name, fallback, 0, 65535);
  }

  url(name: string, protocols: readonly string[]): string | undefined {
    const text = this.env[name];
    if (!text) return undefined;
    const url = URL.canParse(text) ? new URL(text) : null;
    if (!url || !protocols.includes(url.protocol.slice(0, -1)))
      throw invalid(name, undefined, `a URL that starts with ${protocols.map((p) => `${p}://`).join(' or ')}`);
    return text;
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const text = this.env[name];
    if (!text) return fallback;
    const found = values.find((v) => v === text);
    if (!found) throw invalid(name, text, `one of ${values.join(', ')}`);
    return found;
  }

  /**
   * A secret from `NAME`, or from the file that `NAME_FILE` names. Its value is never part of a message. In production a
   * file that everybody can open, and a secret that was made for development, are refused.
   */
  secret(name: string): string | undefined {
    const file = this.env[`${name}_FILE`];
    if (file && !this.env[name]) this.refuseOpenFile(`${name}_FILE`, file);
    const value = this.given(name);
    if (value !== undefined) this.refuseDevelopment(value, name);
    return value;
  }

  /** What is no secret but may be long: from `NAME`, or from the file that `NAME_FILE` names. */
  given(name: string): string | undefined {
    const file = this.env[`${name}_FILE`];
    if (this.env[name] && file) throw invalid(`${name}_FILE`, undefined, `either ${name} or ${name}_FILE, not both`);
    if (!file) return this.env[name] || undefined;
    let text: string;
    try {
      text = readFileSync(file, 'utf8').trim();
    } catch {
      throw invalid(`${name}_FILE`, file, 'the path of a readable file');
    }
    if (text === '') throw invalid(`${name}_FILE`, file, 'the path of a file that is not empty');
    return text;
  }

  /** @throws {BongsuError} CONFIG_INVALID in production for what was made for development; see `refuseDevelopment` */
  refuseDevelopment(value: unknown, name: string): void {
    if (this.production) refuseDevelopment(value, name, 'make a real one, see docs/deployment.md');
  }

  /** A secret that is a URL; a value that is none is refused without being repeated. */
  secretUrl(name: string, protocols: readonly string[]): string | undefined {
    const text = this.secret(name);
    if (text === undefined) return undefined;
    const protocol = URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : '';
    if (!protocols.includes(protocol))
      throw invalid(name, undefined, `a URL that starts with ${protocols.map((p) => `${p}://`).join(' or ')}`);
    return text;
  }

  /** `DATABASE_URL` and its like. */
  databaseUrl(name: string): string | undefined {
    return this.secretUrl(name, ['postgres', 'postgresql']);
  }

  /** Ranges of private addresses in CIDR notation, separated by commas. */
  privateRanges(name: string): string[] {
    const ranges = (this.env[name] ?? '').split(',').flatMap((range) => range.trim() || []);
    const wrong = ranges.find((range) => !isAllowablePrivateRange(range));
    if (wrong !== undefined)
      throw invalid(name, wrong, 'CIDR ranges of private addresses (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7)');
    return ranges;
  }

  get production(): boolean {
    return this.env['NODE_ENV'] === 'production';
  }

  private refuseOpenFile(name: string, file: string): void {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    // Windows has no such bits.
    if ((mode & OPEN_TO_ALL) === 0 || process.platform === 'win32') return;
    const text = `${name}: ${file} is open to everybody (mode ${(mode & 0o777).toString(8)}); run chmod 600 on it`;
    if (this.production) throw new BongsuError('CONFIG_INVALID', `${text}.`, name);
    this.warn(`${text}: production refuses it.`);
  }
}

/** Mode bits by which others than owner and group may read, write or enter. */
const OPEN_TO_ALL = 0o007;

function invalid(name: string, value: string | undefined, expected: string): BongsuError {
  const held = value === undefined ? '' : ` holds "${value.slice(0, 80)}" but`;
  return new BongsuError('CONFIG_INVALID', `${name}${held} needs ${expected}.`, name);
}
