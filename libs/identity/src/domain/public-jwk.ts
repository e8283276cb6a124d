import { createPublicKey } from 'node:crypto';
import { BongsuError } from '@app/protocol';

/** The public key of a member or a person, reduced to what the key is: EC on P-256, or Ed25519. */
export type PublicJwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string } | { kty: 'OKP'; crv: 'Ed25519'; x: string };

/** The one algorithm that each kind of key may sign assertions with. */
export function assertionAlgorithm(jwk: PublicJwk): 'ES256' | 'EdDSA' {
  return jwk.kty === 'EC' ? 'ES256' : 'EdDSA';
}

const EXPECTED = 'a public JWK of type EC on curve P-256, or OKP on curve Ed25519';

/** JWK members that only private or symmetric keys have (RFC 7518, RFC 8037). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/**
 * Checks a public key that somebody hands in and drops everything that is not part of it.
 * @param where the argument's name, for the error
 * @throws {BongsuError} BAD_INPUT, also for a key with a private part, which is never repeated
 */
export function checkPublicJwk(value: unknown, where: string): PublicJwk {
  const refuse = (message: string): never => {
    throw new BongsuError('BAD_INPUT', message, where);
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(`${where} needs ${EXPECTED}.`);
  const jwk = value as Record<string, unknown>;
  if (PRIVATE_MEMBERS.some((member) => member in jwk))
    return refuse(
      `${where} holds a private key. Send the public part only, and replace this key: it has left its owner's hands.`,
    );
  const kept: Record<string, unknown> | null =
    jwk['kty'] === 'EC' && jwk['crv'] === 'P-256'
      ? { kty: 'EC', crv: 'P-256', x: jwk['x'], y: jwk['y'] }
      : jwk['kty'] === 'OKP' && jwk['crv'] === 'Ed25519'
        ? { kty: 'OKP', crv: 'Ed25519', x: jwk['x'] }
        : null;
  if (!kept) return refuse(`${where} needs ${EXPECTED}.`);
  for (const part of ['x', 'y'].filter((name) => name in kept))
    if (typeof kept[part] !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(kept[part]))
      return refuse(`${where}.${part} needs 32 bytes as base64url.`);
  try {
    createPublicKey({ key: kept, format: 'jwk' });
  } catch {
    return refuse(`${where} is no point of its curve: the key is damaged.`);
  }
  return kept as PublicJwk;
}

/** Whether two public keys are the same. */
export function sameKey(a: PublicJwk, b: PublicJwk): boolean {
  return a.crv === b.crv && a.x === b.x && (a.kty === 'EC' ? a.y : '') === (b.kty === 'EC' ? b.y : '');
}
