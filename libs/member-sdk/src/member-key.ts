import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';

/** Keys that a caller may sign with: see {@link MemberKey} for one, an own implementation where keys change. */
export interface KeyRing {
  /**
   * Newest first, at least one. A door gets the first that it accepts: after a change of keys some know the new one
   * before others.
   */
  keys(): Promise<readonly MemberKey[]>;
}

/** A caller's own signing key, with which it proves itself to the hub and to the blinders. */
export class MemberKey implements KeyRing {
  private constructor(
    private readonly key: CryptoKey | Uint8Array,
    private readonly alg: 'ES256' | 'EdDSA',
    /** The public half: what the key is, and nothing else. */
    readonly publicJwk: Readonly<JWK>,
    /** RFC 7638, SHA-256, base64url. */
    readonly thumbprint: string,
    /** What people call it: its `kid`, or its thumbprint where it has none. */
    readonly name: string,
  ) {}

  /**
   * @param jwk private key: EC P-256 (signs ES256) or OKP Ed25519 (signs EdDSA)
   * @throws {TypeError} when it is neither, or not private
   */
  static async fromJwk(jwk: JWK): Promise<MemberKey> {
    const { kty, crv, x, y, d, kid } = jwk;
    const alg = kty === 'EC' && crv === 'P-256' ? 'ES256' : crv === 'Ed25519' ? 'EdDSA' : null;
    if (alg === null || typeof d !== 'string')
      throw new TypeError('A member key is a private JWK: EC P-256 or OKP Ed25519.');
    const publicJwk = (alg === 'ES256' ? { kty, crv, x, y } : { kty, crv, x }) as JWK;
    const thumbprint = await calculateJwkThumbprint(publicJwk);
    return new MemberKey(await importJWK(jwk, alg), alg, publicJwk, thumbprint, kid ?? thumbprint);
  }

  keys(): Promise<readonly MemberKey[]> {
    return Promise.resolve([this]);
  }

  /**
   * A short-lived assertion that the caller is `subject` (RFC 7523). It names no `kid`: doors know callers, and which
   * keys each has.
   * @param nowMs the time, milliseconds since 1970
   * @param lifetimeSeconds how long it holds
   */
  assertion(subject: string, audience: string, nowMs: number, lifetimeSeconds: number): Promise<string> {
    return this.statement('JWT', subject, audience, nowMs, lifetimeSeconds);
  }

  /**
   * A proof that whoever hands this key in holds its private half: what a change of keys is asked for with
   * (`typ: bongsu-key-proof+jwt`).
   */
  keyProof(subject: string, audience: string, nowMs: number, lifetimeSeconds: number): Promise<string> {
    return this.statement('bongsu-key-proof+jwt', subject, audience, nowMs, lifetimeSeconds);
  }

  /**
   * A proof of possession for one request (DPoP, RFC 9449 section 4.2).
   * @param htu the request's address without query and fragment, as the hub names it
   * @param accessToken the token that goes with the request; none where a token is asked for
   */
  dpopProof(htm: string, htu: string, nowMs: number, accessToken?: string): Promise<string> {
    const ath =
      accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken, 'ascii').digest('base64url') };
    return new SignJWT({ htm, htu, ...ath })
      .setProtectedHeader({ alg: this.alg, typ: 'dpop+jwt', jwk: this.publicJwk })
      .setIssuedAt(Math.floor(nowMs / 1000))
      .setJti(randomUUID())
      .sign(this.key);
  }

  private statement(typ: string, subject: string, audience: string, nowMs: number, seconds: number): Promise<string> {
    const now = Math.floor(nowMs / 1000);
    return new SignJWT({})
      .setProtectedHeader({ alg: this.alg, typ })
      .setIssuer(subject)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .setJti(randomUUID())
      .sign(this.key);
  }
}
