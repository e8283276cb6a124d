import { BongsuError } from '@app/protocol';
import type { PublicSigningKey } from './signing-key.js';

/** A public key in the register that all processes of the hub share. */
export interface RegisteredKey extends PublicSigningKey {
  createdAt: Date;
  /** From when on nothing that it signed is taken any more; null while it may sign. */
  retiredAt: Date | null;
  /** It left its owner's hands: what it signed proves nothing, whenever it says it was signed. */
  stolen: boolean;
}

/**
 * How long a key that no longer signs still verifies, ms: a day, so that what was signed last (tokens of ten minutes, events
 * that a receiver fetches late) is verified by everyone.
 */
export const OVERLAP_MS = 24 * 3_600_000;

/** How long a key must have been published before it signs, ms: caches of the key set are older than that by then. */
export const PUBLISHED_BEFORE_MS = 5 * 60_000;

/** Whether what a key signed is taken at a time, ms since 1970. */
export function verifiesAt(key: RegisteredKey, now: number): boolean {
  return key.retiredAt === null || key.retiredAt.getTime() > now;
}

/**
 * Which of a process's own keys signs: the first that is not being retired; where there is none, the first that still
 * verifies, so that a process which was not given its next key goes on as long as it can.
 * @param own kids, first choice first
 * @param now ms since 1970
 * @returns null where all of them are retired
 */
export function signingKid(own: readonly string[], register: readonly RegisteredKey[], now: number): string | null {
  const found = own.map((kid) => register.find((key) => key.kid === kid)).filter((key) => key !== undefined);
  return (found.find((key) => key.retiredAt === null) ?? found.find((key) => verifiesAt(key, now)))?.kid ?? null;
}

/**
 * When a key that is retired now is refused.
 * @param stolen at once, whatever becomes of what it signed
 * @param now ms since 1970
 * @throws {BongsuError} NOT_FOUND; BAD_INPUT for one that is retired already, or that no other could take over from
 */
export function retirement(register: readonly RegisteredKey[], kid: string, stolen: boolean, now: number): Date {
  const key = register.find((k) => k.kid === kid);
  if (!key) throw new BongsuError('NOT_FOUND', 'No such signing key; list them to see their kid.', 'kid');
  const at = new Date(stolen ? now : now + OVERLAP_MS);
  if (key.retiredAt !== null && (!stolen || key.stolen))
    throw new BongsuError('BAD_INPUT', `This key is retired since before: ${key.retiredAt.toISOString()}.`, 'kid');
  const others = register.filter((other) => other.kid !== kid && other.retiredAt === null);
  if (stolen) return key.retiredAt !== null && key.retiredAt < at ? key.retiredAt : at;
  if (others.length === 0)
    throw new BongsuError('BAD_INPUT', 'No other key could sign: give hub and worker the next one first.', 'kid');
  if (!others.some((other) => now - other.createdAt.getTime() >= PUBLISHED_BEFORE_MS))
    throw new BongsuError(
      'BAD_INPUT',
      `The next key is published since less than ${PUBLISHED_BEFORE_MS / 60_000} minutes: wait, so that everyone knows it.`,
      'kid',
    );
  return at;
}
