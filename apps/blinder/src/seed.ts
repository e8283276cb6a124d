import { SEED_BYTES } from '@app/blinding';
import { BongsuError, DEVELOPMENT_MARK } from '@app/protocol';

/**
 * A seed from its text: 64 hex digits or 43 base64url characters, for development behind `bongsu-development-only:`.
 * @param where the variable that it came from, for the message; the text itself is never repeated
 * @throws {BongsuError} CONFIG_INVALID
 */
export function parseSeed(text: string, where: string): Uint8Array {
  const seed = text.trim().replace(`${DEVELOPMENT_MARK}:`, '');
  if (/^[0-9a-fA-F]{64}$/.test(seed)) return Buffer.from(seed, 'hex');
  const bytes = Buffer.from(seed, 'base64url');
  if (bytes.length === SEED_BYTES && bytes.toString('base64url') === seed) return bytes;
  throw new BongsuError('CONFIG_INVALID', `${where} must hold ${SEED_BYTES} bytes in hex or base64url.`, where);
}
