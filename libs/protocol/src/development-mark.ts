import { BongsuError } from './errors.js';

/**
 * What keys, seeds and passwords carry that were made for development: anybody may have them. It is a text that nothing
 * else holds, so that it is found in whatever form a secret has: a seed's prefix, a password in a URL, a key in a set.
 */
export const DEVELOPMENT_MARK = 'bongsu-development-only';

/** A JWK with the mark: a member of its own, which whoever uses the key ignores (RFC 7517, section 4). */
export function markedForDevelopment<T extends object>(jwk: T): T & { mark: string } {
  return { ...jwk, mark: DEVELOPMENT_MARK };
}

/** Whether a JWK, a list or set of them, or a secret's text carries the mark. */
export function isForDevelopment(value: unknown): boolean {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text?.includes(DEVELOPMENT_MARK) ?? false;
}

/**
 * Refuses what was made for development, in production.
 * @param where variable or argument that holds it
 * @param instead what is to be done: `make a real one with …`
 * @throws {BongsuError} with the given code, CONFIG_INVALID unless told otherwise; the value is not repeated
 */
export function refuseDevelopment(
  value: unknown,
  where: string,
  instead: string,
  code: 'CONFIG_INVALID' | 'BAD_INPUT' = 'CONFIG_INVALID',
): void {
  if (isForDevelopment(value))
    throw new BongsuError(
      code,
      `${where} holds what was made for development (by npm start or the demo) and is refused in production: ${instead}.`,
      where,
    );
}
