import { BongsuError, verifySet, type SetClaims } from '@app/protocol';
import type { JSONWebKeySet } from 'jose';

/** Least real milliseconds between two fetches of the hub's keys for tokens with an unknown key. */
const REFETCH_MS = 5_000;

/** Checks security event tokens against the hub's published keys, which it fetches when first needed or unknown. */
export class EventVerifier {
  private keys: JSONWebKeySet | null = null;
  private fetchedAt = -Infinity;

  /**
   * @param fetchKeys the hub's JWKS
   * @param issuer expected `iss`
   * @param audience expected `aud`: `member:<name>`
   */
  constructor(
    private readonly fetchKeys: () => Promise<JSONWebKeySet>,
    private readonly issuer: string,
    private readonly audience: string,
  ) {}

  /**
   * @param set a compact JWS
   * @throws {BongsuError} BAD_INPUT with the RFC 8935 error in `where`
   * @throws {DoorError} when the hub's keys are needed and cannot be had
   */
  async verify(set: string): Promise<SetClaims> {
    this.keys ??= await this.fetch();
    try {
      return await verifySet(set, this.keys, this.issuer, this.audience);
    } catch (error) {
      const unknownKey = error instanceof BongsuError && error.where === 'invalid_key';
      if (!unknownKey || performance.now() - this.fetchedAt < REFETCH_MS) throw error;
      this.keys = await this.fetch();
      return verifySet(set, this.keys, this.issuer, this.audience);
    }
  }

  private async fetch(): Promise<JSONWebKeySet> {
    const keys = await this.fetchKeys();
    this.fetchedAt = performance.now();
    return keys;
  }
}
