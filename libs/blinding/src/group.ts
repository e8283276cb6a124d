import sodium from 'libsodium-wrappers-sumo';
import { BlindingError } from './errors.js';

// The module is a WebAssembly one: loading it here, once, lets everything above be synchronous.
await sodium.ready;

/** Bytes of an encoded group element (RFC 9496, ristretto255). */
export const ELEMENT_BYTES = 32;
/** Bytes of an encoded scalar, little-endian, below the group's order. */
export const SCALAR_BYTES = 32;
/** Bytes of uniform input that the map to the group and the reduction to a scalar take. */
export const UNIFORM_BYTES = 64;

/** `scalar · element`, in constant time. @throws {BlindingError} BAD_ELEMENT unless `element` is valid and not the identity */
export function multiply(scalar: Uint8Array, element: Uint8Array, index?: number): Uint8Array {
  requireElementLength(element, index);
  try {
    // libsodium refuses here whatever does not decode canonically. The order is prime and scalars are not zero, so
    // an identity result means an identity input: one multiplication validates its element completely.
    return sodium.crypto_scalarmult_ristretto255(scalar, element);
  } catch {
    throw badElement(index);
  }
}

/** `scalar · generator`, in constant time, for a scalar other than zero. */
export function multiplyBase(scalar: Uint8Array): Uint8Array {
  return sodium.crypto_scalarmult_ristretto255_base(scalar);
}

/** Sum of two valid elements. */
export function addElements(p: Uint8Array, q: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_add(p, q);
}

/** @throws {BlindingError} BAD_ELEMENT unless `element` is 32 bytes, canonical, and not the identity */
export function requireElement(element: Uint8Array, index?: number): void {
  requireElementLength(element, index);
  // libsodium counts the identity (32 zero bytes) as a valid point; RFC 9497 (DeserializeElement) does not.
  if (sodium.is_zero(element) || !sodium.crypto_core_ristretto255_is_valid_point(element)) throw badElement(index);
}

/** The group element for 64 uniform bytes (RFC 9496, one-way map). */
export function elementFromUniform(uniform: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_from_hash(uniform);
}

/** The scalar for 64 uniform bytes, read as a little-endian integer and reduced. */
export function scalarFromUniform(uniform: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_scalar_reduce(uniform);
}

/** A uniformly random scalar other than zero, from the system's generator. */
export function randomScalar(): Uint8Array {
  return sodium.crypto_core_ristretto255_scalar_random();
}

/** `a · b` modulo the order. */
export function multiplyScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_scalar_mul(a, b);
}

/** `a − b` modulo the order. */
export function subtractScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_scalar_sub(a, b);
}

/** True for 32 bytes that encode a scalar below the order, the only encoding of its value. Constant time. */
export function isCanonicalScalar(scalar: Uint8Array): boolean {
  if (scalar.length !== SCALAR_BYTES) return false;
  const wide = new Uint8Array(UNIFORM_BYTES);
  wide.set(scalar);
  return sodium.memcmp(sodium.crypto_core_ristretto255_scalar_reduce(wide), scalar);
}

/** True when every byte is zero. Constant time. */
export function isZero(bytes: Uint8Array): boolean {
  return sodium.is_zero(bytes);
}

/** @throws {BlindingError} BAD_SCALAR unless `scalar` is 32 bytes, canonical, and not zero */
export function requireScalar(scalar: Uint8Array, what: string): void {
  if (!isCanonicalScalar(scalar) || isZero(scalar))
    throw new BlindingError('BAD_SCALAR', `The ${what} is not a canonical scalar of ${SCALAR_BYTES} bytes above zero.`);
}

/**
 * The inverses of many scalars other than zero, for one inversion and three multiplications each (Montgomery's trick).
 */
export function invertScalars(scalars: readonly Uint8Array[]): Uint8Array[] {
  if (scalars.length === 0) return [];
  const products: Uint8Array[] = [];
  for (const scalar of scalars) {
    const previous = products.at(-1);
    products.push(previous === undefined ? scalar : multiplyScalars(previous, scalar));
  }
  let inverse = sodium.crypto_core_ristretto255_scalar_invert(products.at(-1)!);
  const inverses = new Array<Uint8Array>(scalars.length);
  for (let i = scalars.length - 1; i > 0; i--) {
    inverses[i] = multiplyScalars(inverse, products[i - 1]!);
    inverse = multiplyScalars(inverse, scalars[i]!);
  }
  inverses[0] = inverse;
  return inverses;
}

function requireElementLength(element: Uint8Array, index?: number): void {
  if (!(element instanceof Uint8Array) || element.length !== ELEMENT_BYTES) throw badElement(index);
}

function badElement(index?: number): BlindingError {
  const which = index === undefined ? 'The element' : `Element ${index}`;
  return new BlindingError(
    'BAD_ELEMENT',
    `${which} is not the canonical ${ELEMENT_BYTES}-byte encoding of a ristretto255 element other than the identity.`,
    index,
  );
}
