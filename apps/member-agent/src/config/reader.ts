import { BongsuError } from '@app/member-sdk';

/** A mapping from the configuration file, read field by field; every failure names the field and what was expected. */
export class Section {
  private readonly met = new Set<string>();

  constructor(
    private readonly values: Record<string, unknown>,
    /** Path of this section in the file, for messages; empty for the whole file. */
    private readonly at: string,
  ) {}

  static of(value: unknown, at: string): Section {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(at || 'the file', value, 'a mapping of names to values');
    return new Section(value as Record<string, unknown>, at);
  }

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null;
  }

  /** A required text. */
  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw invalid(this.name(name), undefined, 'a text; it is required');
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '') throw invalid(this.name(name), value, 'a text');
    return value;
  }

  /** An http or https URL. */
  url(name: string): string {
    return asUrl(this.text(name), this.name(name));
  }

  optionalUrl(name: string): string | undefined {
    const text = this.optionalText(name);
    return text === undefined ? undefined : asUrl(text, this.name(name));
  }

  /** A whole number within bounds, inclusive. */
  whole(name: string, fallback: number, least: number, most: number): number {
    const value = this.take(name) ?? fallback;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      throw invalid(this.name(name), value, `a whole number from ${least} to ${most}`);
    return value as number;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.take(name) ?? fallback;
    if (typeof value !== 'boolean') throw invalid(this.name(name), value, 'true or false');
    return value;
  }

  oneOf<T extends string>(name: string, words: readonly T[], fallback?: T): T {
    const value = this.take(name) ?? fallback;
    const found = words.find((word) => word === value);
    if (found === undefined) throw invalid(this.name(name), value, `one of ${words.join(', ')}`);
    return found;
  }

  /** A list of texts; a single text counts as a list of one. */
  texts(name: string, fallback: readonly string[]): readonly string[] {
    const value = this.take(name) ?? fallback;
    const list = Array.isArray(value) ? (value as unknown[]) : [value];
    if (!list.every((v) => typeof v === 'string' && v !== ''))
      throw invalid(this.name(name), value, 'a text or a list of texts');
    return list as string[];
  }

  /** A list of whole numbers. */
  wholes(name: string, fallback: readonly number[]): readonly number[] {
    const value = this.take(name) ?? fallback;
    const list = Array.isArray(value) ? (value as unknown[]) : [value];
    if (!list.every((v) => Number.isInteger(v))) throw invalid(this.name(name), value, 'a list of whole numbers');
    return list as number[];
  }

  /** The sections of a list. */
  sections(name: string): Section[] {
    const value = this.take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw invalid(this.name(name), value, 'a list');
    return value.map((item, i) => Section.of(item, `${this.name(name)}[${i}]`));
  }

  section(name: string): Section | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : Section.of(value, this.name(name));
  }

  /** Names in this section with text or list values, as they stand. */
  entries(): [string, unknown][] {
    for (const name of Object.keys(this.values)) this.met.add(name);
    return Object.entries(this.values).filter(([, value]) => value !== null && value !== undefined);
  }

  /** @throws {BongsuError} CONFIG_INVALID for a name that nothing has asked for: a slip of the pen otherwise passes */
  end(): void {
    for (const name of Object.keys(this.values))
      if (!this.met.has(name))
        throw new BongsuError(
          'CONFIG_INVALID',
          `${this.name(name)} is not a setting; known here: ${[...this.met].join(', ')}.`,
          this.name(name),
        );
  }

  name(name: string): string {
    return this.at === '' ? name : `${this.at}.${name}`;
  }

  private take(name: string): unknown {
    this.met.add(name);
    const value = this.values[name];
    return value === null ? undefined : value;
  }
}

/** The error for a value that does not fit. */
export function invalid(name: string, value: unknown, expected: string): BongsuError {
  const held = value === undefined ? '' : ` holds ${JSON.stringify(value)?.slice(0, 80)} but`;
  return new BongsuError('CONFIG_INVALID', `${name}${held} needs ${expected}.`, name);
}

function asUrl(text: string, name: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw invalid(name, text, 'a URL that starts with http:// or https://');
  return text;
}
