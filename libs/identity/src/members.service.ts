import { Injectable } from '@nestjs/common';
import { AuditLog, type AuditFact } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal, type Tx } from '@app/infrastructure/database';
import { thumbprint } from '@app/keys';
import { BongsuError } from '@app/protocol';
import { ClientDirectory } from './client-directory.service.js';
import { checkNewMember, type Member, type MemberState, type NewMember } from './domain/member.js';
import { sameKey } from './domain/public-jwk.js';
import { IdentityOptions } from './identity.options.js';
import { MemberEndpointRepository } from './member-endpoint.repository.js';
import { MemberRepository } from './member.repository.js';

/** Member exchanges: registered, suspended and reinstated by staff. */
@Injectable()
export class Members {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly members: MemberRepository,
    private readonly endpoints: MemberEndpointRepository,
    private readonly clients: ClientDirectory,
    private readonly audit: AuditLog,
    private readonly options: IdentityOptions,
  ) {}

  /**
   * Registers a member.
   * @param by a staff principal
   * @throws {BongsuError} BAD_INPUT with the argument concerned
   */
  async add(by: Principal, input: NewMember): Promise<Member> {
    const { authorization, ...checked } = checkNewMember(input, this.options.production, this.options.pushAllowPrivate);
    const member = { ...checked, createdAt: new Date(this.clock.now()) };
    const added = await this.database.transaction(by, async (tx) => {
      const taken = (await this.members.list(tx)).flatMap((m) => [
        m.jwk,
        ...(m.previousKey ? [m.previousKey.jwk] : []),
      ]);
      if (taken.some((jwk) => sameKey(jwk, member.jwk)))
        throw new BongsuError('BAD_INPUT', 'jwk is another member’s key: each member needs one of its own.', 'jwk');
      const id = await this.members.insert(tx, member);
      if (id === null)
        throw new BongsuError('BAD_INPUT', `name holds "${member.name}", which another member has.`, 'name');
      if (authorization) await this.endpoints.put(tx, id, authorization);
      const entered = { ...member, id, state: 'active' as const, previousKey: null };
      await this.record(tx, by, 'member.added', member.name, { after: summary(entered) });
      return entered;
    });
    this.clients.forget({ kind: 'member', name: added.name });
    return added;
  }

  /**
   * Refuses a member at every door, tokens that it already holds included, within seconds.
   * @throws {BongsuError} NOT_FOUND; BAD_INPUT for a member that has left
   */
  suspend(by: Principal, name: string, reason: string): Promise<Member> {
    return this.setState(by, name, 'suspended', reason);
  }

  /** @throws {BongsuError} NOT_FOUND; BAD_INPUT for a member that has left */
  reinstate(by: Principal, name: string, reason: string): Promise<Member> {
    return this.setState(by, name, 'active', reason);
  }

  /**
   * Ends a membership for good: refused at every door, as a suspended one is. To come back it registers under a new name
   * and with a new key, so that the audit and closed reports keep meaning whom they meant.
   * @param alongside what else ends, in the same transaction
   * @throws {BongsuError} NOT_FOUND; BAD_INPUT for a member that has left
   */
  async leave(
    by: Principal,
    name: string,
    reason: string,
    alongside: (tx: Tx, member: Member) => Promise<void>,
  ): Promise<Member> {
    const left = await this.database.transaction(by, async (tx) => {
      const member = await this.members.byName(tx, name);
      if (!member) throw noSuchMember();
      if (member.state === 'left') throw hasLeft(name);
      await this.members.leave(tx, member.id);
      await this.endpoints.remove(tx, member.id);
      await alongside(tx, member);
      await this.record(tx, by, 'member.left', name, {
        before: { state: member.state },
        after: { state: 'left' },
        detail: { reason },
      });
      return { ...member, state: 'left' as const, contacts: [], endpointUrl: null };
    });
    this.clients.forget({ kind: 'member', name });
    return left;
  }

  /** All members that the principal may see, by name. */
  list(by: Principal): Promise<Member[]> {
    return this.database.transaction(by, (tx) => this.members.list(tx));
  }

  /** @throws {BongsuError} NOT_FOUND, also for one that the principal may not see */
  async byId(by: Principal, id: number): Promise<Member> {
    const [member] = await this.byIds(by, [id]);
    if (!member) throw noSuchMember();
    return member;
  }

  /** Those of the ids that the principal may see, by id. */
  byIds(by: Principal, ids: readonly number[]): Promise<Member[]> {
    return this.database.transaction(by, (tx) => this.members.byIds(tx, ids));
  }

  /** The same within a transaction that is already open. */
  within(tx: Tx, ids: readonly number[]): Promise<Member[]> {
    return this.members.byIds(tx, ids);
  }

  private async setState(by: Principal, name: string, state: MemberState, reason: string): Promise<Member> {
    const changed = await this.database.transaction(by, async (tx) => {
      const member = await this.members.byName(tx, name);
      if (!member) throw noSuchMember();
      if (member.state === 'left') throw hasLeft(name);
      if (member.state === state) return member;
      await this.members.setState(tx, member.id, state);
      const action = state === 'active' ? 'member.reinstated' : 'member.suspended';
      await this.record(tx, by, action, name, {
        before: { state: member.state },
        after: { state },
        detail: { reason },
      });
      return { ...member, state };
    });
    this.clients.forget({ kind: 'member', name });
    return changed;
  }

  private record(
    tx: Tx,
    by: Principal,
    action: string,
    name: string,
    fact: Pick<AuditFact, 'before' | 'after' | 'detail'>,
  ): Promise<void> {
    return this.audit.record(tx, { actor: principalName(by), action, subject: `member:${name}`, ...fact });
  }
}

/** What the audit keeps of a member: of its contacts, who are people, only how many there are. */
function summary({ state, jwk, deliveryMethod, endpointUrl, contacts }: Member): Record<string, unknown> {
  return { state, key: thumbprint(jwk), deliveryMethod, endpointUrl, contacts: contacts.length };
}

function noSuchMember(): BongsuError {
  return new BongsuError('NOT_FOUND', 'No such member.', 'name');
}

function hasLeft(name: string): BongsuError {
  return new BongsuError('BAD_INPUT', `${name} has left the alliance; register it under a new name.`, 'name');
}
