import { createHash } from 'node:crypto';
import { encodeToken } from '@app/protocol';

/** 32 bytes that depend on a name only: stands for what the blinder would have made of it. */
export function token(name: string): Uint8Array {
  return createHash('sha256').update(name).digest();
}

/** The same in base64url. */
export function tokenText(name: string): string {
  return encodeToken(token(name));
}
