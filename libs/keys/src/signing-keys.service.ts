import { Injectable } from '@nestjs/common';
import { SignJWT, type JSONWebKeySet, type JWK, type JWTPayload } from 'jose';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Principal, type Tx } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import { retirement, signingKid, verifiesAt, type RegisteredKey } from './domain/key-register.js';
import { readSigningKeys, type SigningKey } from './domain/signing-key.js';
import { KeysOptions } from './keys.options.js';
import { SigningKeyRepository } from './signing-key.repository.js';
import { TimedCache } from './timed-cache.js';

/** How long a reading of the register is good for, ms: what another process or a person changed is known after it. */
const REGISTER_LIFE_MS = 5000;

const SELF: Principal = { kind: 'gate', name: 'keys' };

/** A reading of the register: the same object as long as it is good. */
interface Reading {
  all: RegisteredKey[];
  valid: JSONWebKeySet;
}

/** The hub's signing keys: this process's own private ones, and every public one that still verifies. */
@Injectable()
export class SigningKeys {
  private readonly own: SigningKey[];
  private readonly readings = new TimedCache<'register', Reading>(REGISTER_LIFE_MS);
  private registering: Promise<void> | null = null;

  /** @throws {BongsuError} CONFIG_INVALID for a key that cannot sign */
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: SigningKeyRepository,
    options: KeysOptions,
  ) {
    this.own = readSigningKeys(options.signingKey);
  }

  /**
   * The key to sign with now; it stands in the register, so that receivers find it.
   * @throws {BongsuError} UNAVAILABLE when the register is away, or every key of this process is retired
   */
  async current(): Promise<SigningKey> {
    const { all } = await this.read();
    const kid = signingKid(
      this.own.map((key) => key.kid),
      all,
      this.clock.now(),
    );
    const key = this.own.find((k) => k.kid === kid);
    if (!key)
      throw new BongsuError(
        'UNAVAILABLE',
        'Every signing key that this process was given is retired: give it the next one.',
        'HUB_SIGNING_KEY',
      );
    return key;
  }

  /**
   * Signs claims with the current key.
   * @param typ the header's `typ`: `at+jwt`, `secevent+jwt`
   * @returns the compact JWT
   * @throws {BongsuError} UNAVAILABLE, as {@link current}
   */
  async sign(claims: JWTPayload, typ: string): Promise<string> {
    const { alg, kid, privateKey } = await this.current();
    return new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(privateKey);
  }

  /** Puts the public part of every own key into the register, once per process; a failure is tried again. */
  register(): Promise<void> {
    this.registering ??= this.database
      .transaction(SELF, async (tx) => {
        for (const key of this.own) await this.keys.register(tx, key, new Date(this.clock.now()));
      })
      .catch((error: unknown) => {
        this.registering = null;
        throw error;
      });
    return this.registering;
  }

  /**
   * Public keys that verify what the hub signed: those that sign, will sign, or did and are not yet refused. The same
   * object for a few seconds.
   * @throws {BongsuError} UNAVAILABLE
   */
  async jwks(): Promise<JSONWebKeySet> {
    return (await this.read()).valid;
  }

  /**
   * Every key that ever signed, oldest first: for whoever verifies a report of long ago.
   * @throws {BongsuError} UNAVAILABLE
   */
  async all(): Promise<RegisteredKey[]> {
    return (await this.read()).all;
  }

  /**
   * Retires a key within a transaction that may: it signs no more, and is refused after its overlap, or at once.
   * @returns the key before and after
   * @throws {BongsuError} NOT_FOUND, BAD_INPUT
   */
  async retire(tx: Tx, kid: string, stolen: boolean): Promise<{ before: RegisteredKey; after: RegisteredKey }> {
    const register = await this.keys.list(tx);
    const retiredAt = retirement(register, kid, stolen, this.clock.now());
    await this.keys.retire(tx, kid, retiredAt, stolen);
    this.readings.forget('register');
    const before = register.find((key) => key.kid === kid)!;
    return { before, after: { ...before, retiredAt, stolen } };
  }

  private read(): Promise<Reading> {
    return this.readings.get('register', async () => {
      await this.register();
      const all = await this.database.transaction(SELF, (tx) => this.keys.list(tx));
      const valid = all.filter((key) => verifiesAt(key, this.clock.now()));
      return { all, valid: { keys: valid.map((key) => key.jwk as JWK) } };
    });
  }
}
