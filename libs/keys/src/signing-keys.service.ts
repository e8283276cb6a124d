import { Injectable } from '@nestjs/common';
import { SignJWT, type JSONWebKeySet, type JWK, type JWTPayload } from 'jose';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Principal } from '@app/infrastructure/database';
import { readSigningKey, type SigningKey } from './domain/signing-key.js';
import { KeysOptions } from './keys.options.js';
import { SigningKeyRepository } from './signing-key.repository.js';
import { TimedCache } from './timed-cache.js';

/** How long a reading of the register is good for, ms: another process's new key is known after it. */
const JWKS_LIFE_MS = 5000;

const SELF: Principal = { kind: 'gate', name: 'keys' };

/** The hub's signing keys: this process's own private one, and every public one that still verifies. */
@Injectable()
export class SigningKeys {
  private readonly key: SigningKey;
  private readonly published = new TimedCache<'jwks', JSONWebKeySet>(JWKS_LIFE_MS);
  private registering: Promise<void> | null = null;

  /** @throws {BongsuError} CONFIG_INVALID for a key that cannot sign */
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: SigningKeyRepository,
    options: KeysOptions,
  ) {
    this.key = readSigningKey(options.signingKey);
  }

  /** The key to sign with. Whoever signs by hand calls {@link register} first, so that receivers find it. */
  current(): SigningKey {
    return this.key;
  }

  /**
   * Signs claims with the current key, once it stands in the register.
   * @param typ the header's `typ`: `at+jwt`, `secevent+jwt`
   * @returns the compact JWT
   * @throws {BongsuError} UNAVAILABLE when the register cannot be written
   */
  async sign(claims: JWTPayload, typ: string): Promise<string> {
    await this.register();
    const { alg, kid, privateKey } = this.key;
    return new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(privateKey);
  }

  /** Puts the current key's public part into the register, once per process; a failure is tried again. */
  register(): Promise<void> {
    this.registering ??= this.database
      .transaction(SELF, (tx) => this.keys.register(tx, this.key, new Date(this.clock.now())))
      .catch((error: unknown) => {
        this.registering = null;
        throw error;
      });
    return this.registering;
  }

  /**
   * Public keys that verify what the hub signed: the current one and those not yet retired. The same object for a few
   * seconds.
   * @throws {BongsuError} UNAVAILABLE
   */
  jwks(): Promise<JSONWebKeySet> {
    return this.published.get('jwks', async () => {
      await this.register();
      const valid = await this.database.transaction(SELF, (tx) => this.keys.valid(tx, new Date(this.clock.now())));
      return { keys: valid.map((key) => key.jwk as JWK) };
    });
  }
}
