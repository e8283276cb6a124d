import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';

/** Tells the time. The system's clock fits; so does a simulated one. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** The member's own signing key, with which it proves itself to the hub and to the blinders. */
export class MemberKey {
  private constructor(
    private readonly key: CryptoKey | Uint8Array,
    private readonly alg: 'ES256' | 'EdDSA',
    private readonly kid: string | undefined,
  ) {}

  /**
   * @param jwk private key: EC P-256 (signs ES256) or OKP Ed25519 (signs EdDSA)
   * @throws {TypeError} when it is neither, or not private
   */
  static async fromJwk(jwk: JWK): Promise<MemberKey> {
    const alg = jwk.kty === 'EC' && jwk.crv === 'P-256' ? 'ES256' : jwk.crv === 'Ed25519' ? 'EdDSA' : null;
    if (alg === null || typeof jwk.d !== 'string')
      throw new TypeError('A member key is a private JWK: EC P-256 or OKP Ed25519.');
    return new MemberKey(await importJWK(jwk, alg), alg, jwk.kid);
  }

  /**
   * A short-lived assertion that the caller is `subject` (RFC 7523).
   * @param nowMs the time, milliseconds since 1970
   * @param lifetimeSeconds how long it holds
   */
  assertion(subject: string, audience: string, nowMs: number, lifetimeSeconds: number): Promise<string> {
    const now = Math.floor(nowMs / 1000);
    return new SignJWT({})
      .setProtectedHeader({ alg: this.alg, typ: 'JWT', ...(this.kid === undefined ? {} : { kid: this.kid }) })
      .setIssuer(subject)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .setJti(randomUUID())
      .sign(this.key);
  }
}
