import { readFileSync, statSync } from 'node:fs';
import { SEED_BYTES } from '@app/blinding';
import { BongsuError } from '@app/protocol';

/** Where the seed of the secret key comes from: exactly one of the two. */
export type SeedSource =
  { readonly from: 'env'; readonly seed: Uint8Array } | { readonly from: 'file'; readonly path: string };

const WORLD_BITS = 0o007;

/**
 * A seed from its text: 64 hex digits or 43 base64url characters.
 * @param where the variable that it came from, for the message; the text itself is never repeated
 * @throws {BongsuError} CONFIG_INVALID
 */
export function parseSeed(text: string, where: string): Uint8Array {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, 'hex');
  const bytes = Buffer.from(trimmed, 'base64url');
  if (bytes.length === SEED_BYTES && bytes.toString('base64url') === trimmed) return bytes;
  throw new BongsuError('CONFIG_INVALID', `${where} must hold ${SEED_BYTES} bytes in hex or base64url.`, where);
}

/** The seed itself. @throws {BongsuError} CONFIG_INVALID when its file is missing, readable by anyone, or holds no seed */
export function loadSeed(source: SeedSource): Uint8Array {
  if (source.from === 'env') return source.seed;
  const where = 'BLINDER_KEY_FILE';
  let text: string;
  try {
    const mode = statSync(source.path).mode & 0o777;
    if ((mode & WORLD_BITS) !== 0)
      throw new BongsuError(
        'CONFIG_INVALID',
        `${where}: ${source.path} is open to everyone (mode ${mode.toString(8)}); run chmod 600 on it.`,
        where,
      );
    text = readFileSync(source.path, 'utf8');
  } catch (error) {
    if (error instanceof BongsuError) throw error;
    throw new BongsuError('CONFIG_INVALID', `${where} must be a readable file: ${(error as Error).message}.`, where);
  }
  return parseSeed(text, where);
}
