import { createHash } from 'node:crypto';
import { elementFromUniform, scalarFromUniform, UNIFORM_BYTES } from './group.js';

/** The suite's name in RFC 9497, section 4.1. */
export const SUITE = 'ristretto255-SHA512';
/** The mode's name: verifiable, without public input. */
export const MODE = 'VOPRF';

const MODE_VOPRF = 0x01;
const HASH_BYTES = 64;
const HASH_BLOCK_BYTES = 128;

/** RFC 9497 `contextString`: binds every hash to protocol version, mode and suite. */
const CONTEXT = Buffer.concat([Buffer.from('OPRFV1-'), Buffer.of(MODE_VOPRF), Buffer.from(`-${SUITE}`)]);

const GROUP_TAG = domainTag('HashToGroup-');
const SCALAR_TAG = domainTag('HashToScalar-');

/** A domain separation tag of this suite and mode. */
export function domainTag(prefix: string): Uint8Array {
  return Buffer.concat([Buffer.from(prefix), CONTEXT]);
}

/** SHA-512 over the parts, joined as they stand: 64 bytes. */
export function sha512(...parts: (Uint8Array | string)[]): Uint8Array {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** RFC 8017 I2OSP(value, 2): the length prefix and index of every transcript. */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** The part with its length, two bytes, before it. */
export function prefixed(part: Uint8Array): Uint8Array {
  return Buffer.concat([uint16(part.length), part]);
}

/**
 * RFC 9380 `expand_message_xmd` with SHA-512, for output of one block (`bytes` ≤ 64) and tags up to 255 bytes.
 */
export function expandMessage(message: Uint8Array, tag: Uint8Array, bytes = UNIFORM_BYTES): Uint8Array {
  const tagPrime = Buffer.concat([tag, Uint8Array.of(tag.length)]);
  const b0 = sha512(new Uint8Array(HASH_BLOCK_BYTES), message, uint16(bytes), Uint8Array.of(0), tagPrime);
  const b1 = sha512(b0, Uint8Array.of(1), tagPrime);
  return bytes === HASH_BYTES ? b1 : b1.slice(0, bytes);
}

/** RFC 9497 HashToGroup. The identity comes out with probability 2^-252 only; callers that must not take it check. */
export function hashToGroup(input: Uint8Array): Uint8Array {
  return elementFromUniform(expandMessage(input, GROUP_TAG));
}

/** RFC 9497 HashToScalar; `tag` replaces the usual one in key derivation. */
export function hashToScalar(input: Uint8Array, tag: Uint8Array = SCALAR_TAG): Uint8Array {
  return scalarFromUniform(expandMessage(input, tag));
}

/** The PRF's last step: the output for an input and its evaluated element, 64 bytes. */
export function finalHash(input: Uint8Array, element: Uint8Array): Uint8Array {
  return sha512(prefixed(input), prefixed(element), 'Finalize');
}
