import { readFileSync } from 'node:fs';
import { BongsuError } from '@app/protocol';

export { onStop, runMain, sayReady } from './process.js';

/**
 * Reads typed configuration from environment variables, once, at boot. Every failure names the variable, what it held
 * and what was expected.
 */
export class ConfigReader {
  constructor(private readonly env: NodeJS.ProcessEnv) {}

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

  /** A secret from `NAME`, or from the file that `NAME_FILE` names. Its value is never part of a message. */
  secret(name: string): string | undefined {
    const file = this.env[`${name}_FILE`];
    if (this.env[name] && file) throw invalid(`${name}_FILE`, undefined, `either ${name} or ${name}_FILE, not both`);
    if (!file) return this.env[name] || undefined;
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      throw invalid(`${name}_FILE`, file, 'the path of a readable file');
    }
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

  get production(): boolean {
    return this.env['NODE_ENV'] === 'production';
  }
}

function invalid(name: string, value: string | undefined, expected: string): BongsuError {
  const held = value === undefined ? '' : ` holds "${value.slice(0, 80)}" but`;
  return new BongsuError('CONFIG_INVALID', `${name}${held} needs ${expected}.`, name);
}
