import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Database, principalName, type Principal, type Tx } from '@app/infrastructure/database';
import { thumbprint } from '@app/keys';
import { BongsuError, refuseDevelopment } from '@app/protocol';
import { ClientDirectory, GATE } from './client-directory.service.js';
import { ASSERTION_LIFE_S, ASSERTION_SKEW_S } from './domain/client-assertion.js';
import { checkKeyProof, PREVIOUS_KEY_MS } from './domain/key-proof.js';
import type { Member, PreviousKey } from './domain/member.js';
import { checkPublicJwk, sameKey, type PublicJwk } from './domain/public-jwk.js';
import { IdentityOptions } from './identity.options.js';
import { MemberRepository } from './member.repository.js';
import { PersonRepository } from './person.repository.js';
import { UsedAssertions } from './used-assertions.service.js';

/** A key that has taken the place of another. */
export interface RotatedKey {
  /** RFC 7638 thumbprint of the new key. */
  kid: string;
  /** Until when the one before still signs in. */
  previousValidUntil: Date;
}

/**
 * The keys that members sign in with: rotated by themselves, replaced by staff where one was stolen or lost. In the
 * system's time, as all of signing in.
 */
@Injectable()
export class MemberKeys {
  constructor(
    private readonly database: Database,
    private readonly members: MemberRepository,
    private readonly people: PersonRepository,
    private readonly clients: ClientDirectory,
    private readonly used: UsedAssertions,
    private readonly audit: AuditLog,
    private readonly options: IdentityOptions,
  ) {}

  /**
   * Takes a member's next key. The one before signs in for a week more; until then a third is refused, so that a thief of
   * the first cannot push its owner out by rotating twice.
   * @param input the public JWK, and a proof by it ({@link checkKeyProof})
   * @throws {BongsuError} BAD_INPUT with the argument concerned
   */
  async rotate(
    by: Extract<Principal, { kind: 'member' }>,
    input: { jwk: unknown; proof: string },
  ): Promise<RotatedKey> {
    const jwk = this.checkKey(input.jwk);
    await this.checkProof(principalName(by), jwk, input.proof);
    await this.checkUnknown(jwk);
    const until = new Date(Date.now() + PREVIOUS_KEY_MS);
    await this.database.transaction(by, async (tx) => {
      const [member] = await this.members.byIds(tx, [by.memberId]);
      if (!member) throw new BongsuError('NOT_FOUND', 'No such member.');
      const previous = member.previousKey?.until;
      if (previous && previous.getTime() > Date.now())
        throw new BongsuError(
          'BAD_INPUT',
          `Your key before this one is valid until ${previous.toISOString()}: rotate again after that. If a key was stolen, ask the alliance’s staff to replace it.`,
          'jwk',
        );
      await this.change(tx, by, member, jwk, { jwk: member.jwk, until }, 'member.key_rotated');
    });
    this.clients.forget({ kind: 'member', name: by.name });
    return { kid: thumbprint(jwk), previousValidUntil: until };
  }

  /**
   * Puts a key in the place of all that a member had, at once.
   * @param by a staff principal
   * @throws {BongsuError} NOT_FOUND, BAD_INPUT
   */
  async replace(by: Principal, input: { name: string; jwk: unknown; reason: string }): Promise<Member> {
    const jwk = this.checkKey(input.jwk);
    await this.checkUnknown(jwk);
    const changed = await this.database.transaction(by, async (tx) => {
      const member = await this.members.byName(tx, input.name);
      if (!member) throw new BongsuError('NOT_FOUND', 'No such member.', 'name');
      await this.change(tx, by, member, jwk, null, 'member.key_replaced', input.reason);
      return { ...member, jwk, previousKey: null };
    });
    this.clients.forget({ kind: 'member', name: input.name });
    return changed;
  }

  private checkKey(value: unknown): PublicJwk {
    if (this.options.production) refuseDevelopment(value, 'jwk', 'make a key of your own', 'BAD_INPUT');
    return checkPublicJwk(value, 'jwk');
  }

  private async change(
    tx: Tx,
    by: Principal,
    member: Member,
    jwk: PublicJwk,
    previous: PreviousKey | null,
    action: string,
    reason?: string,
  ): Promise<void> {
    if (!(await this.members.setKey(tx, member.id, { from: member.jwk, to: jwk, previous })))
      throw new BongsuError('BAD_INPUT', 'The key was changed by somebody else at the same moment; look again.', 'jwk');
    await this.audit.record(tx, {
      actor: principalName(by),
      action,
      subject: `member:${member.name}`,
      before: keysOf(member.jwk, member.previousKey),
      after: keysOf(jwk, previous),
      detail: reason === undefined ? {} : { reason },
    });
  }

  private async checkProof(clientId: string, jwk: PublicJwk, proof: string): Promise<void> {
    const jti = await checkKeyProof(proof, { jwk, clientId, audience: this.options.issuer(), now: Date.now() });
    const id = jti && createHash('sha256').update(`key\n${jti}`).digest('base64url');
    if (!id || !(await this.used.use(clientId, id, ASSERTION_LIFE_S + 2 * ASSERTION_SKEW_S)))
      throw new BongsuError(
        'BAD_INPUT',
        'proof needs a fresh JWS by the new key: typ bongsu-key-proof+jwt; iss and sub your client id; aud the hub’s issuer; iat, exp, jti.',
        'proof',
      );
  }

  /** Nobody's key, present or past, serves a second time: a member may not see others', so the gate looks. */
  private async checkUnknown(jwk: PublicJwk): Promise<void> {
    const known = await this.database.transaction(GATE, async (tx) => [
      ...(await this.members.list(tx)).flatMap((m) => [m.jwk, ...(m.previousKey ? [m.previousKey.jwk] : [])]),
      ...(await this.people.list(tx)).map((person) => person.jwk),
    ]);
    if (known.some((other) => sameKey(other, jwk)))
      throw new BongsuError('BAD_INPUT', 'jwk is in use, or was: a new key is needed.', 'jwk');
  }
}

/** For the audit: keys by their thumbprints. */
function keysOf(jwk: PublicJwk, previous: PreviousKey | null): Record<string, string | null> {
  return {
    key: thumbprint(jwk),
    previousKey: previous && thumbprint(previous.jwk),
    previousUntil: previous && previous.until.toISOString(),
  };
}
