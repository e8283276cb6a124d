import type { RunningHub } from '../../apps/hub/src/start-hub.js';
import type { BatchRows } from '@app/protocol';
import { eventsTokenOf, graphql, post, tokenOf, type GraphqlAnswer, type HubCaller } from './http-client.js';
import { LENDING_MEMBERS, lendingRows } from './lending.js';
import { privateJwk, publicJwk } from './parts.js';
import { FIRST_HOUR, submitInput } from './signals.js';

/** Days of {@link lendingRows} that lead to recommendations, and the end of the last one, ms since 1970. */
export const LENDING_DAYS = 8;
export const LENDING_NOW = (FIRST_HOUR + LENDING_DAYS * 24) * 3_600_000;

const SUBMIT = 'mutation ($input: SubmitSignalsInput!) { submitSignals(input: $input) { accepted state receivedAt } }';
const ADD = 'mutation ($input: AddMemberInput!) { addMember(input: $input) { id } }';

/** The callers of a hub at which a few keys are plainly lent, and what they send. */
export class LendingCallers {
  readonly staff: HubCaller = { clientId: 'staff:kim', jwk: privateJwk() };
  readonly members: HubCaller[] = LENDING_MEMBERS.map((name) => ({ clientId: `member:${name}`, jwk: privateJwk() }));
  /** `PEOPLE_FILE`'s content. */
  readonly people = [{ name: 'kim', roles: ['staff_operator'], jwk: publicJwk(this.staff.jwk) }];
  private readonly tokens = new Map<string, Promise<string>>();

  /** Registers the members at a hub. @param push how events are pushed to all of them; polled for without it */
  async join(hub: Pick<RunningHub, 'url'>, push?: { endpointUrl: string; authorization: string }): Promise<void> {
    for (const { clientId, jwk } of this.members) {
      const input = {
        name: clientId.slice('member:'.length),
        jwk: JSON.stringify(publicJwk(jwk)),
        ...(push ? { deliveryMethod: 'PUSH', ...push } : { deliveryMethod: 'POLL' }),
      };
      const answer = await this.ask(hub, this.staff, ADD, { input });
      if (answer.errors.length > 0) throw new Error(answer.text);
    }
  }

  /** Every batch that a member sends: one a day, numbered from 1. */
  batchesOf(member: HubCaller): { n: number; rows: Partial<BatchRows> }[] {
    const rows = lendingRows(member.clientId.slice('member:'.length), LENDING_DAYS);
    return Array.from({ length: LENDING_DAYS }, (_, day) => ({
      n: day + 1,
      rows: {
        ...(day === 0 ? { allowEntries: rows.allowEntries, keyFacts: rows.keyFacts } : {}),
        observations: rows.observations.filter(({ hour }) => Math.floor((hour - FIRST_HOUR) / 24) === day),
      },
    }));
  }

  submit(
    hub: Pick<RunningHub, 'url'>,
    member: HubCaller,
    { n, rows }: { n: number; rows: Partial<BatchRows> },
    headers: Record<string, string> = {},
  ): Promise<GraphqlAnswer> {
    return this.ask(hub, member, SUBMIT, { input: submitInput(n, rows) }, headers);
  }

  /** RFC 8936. */
  async poll(hub: Pick<RunningHub, 'url'>, member: HubCaller, body: object) {
    return post(`${hub.url}/ssf/poll`, await this.tokenFor(hub, member, eventsTokenOf), body);
  }

  /** Acknowledges events and fetches the next. @returns their ids */
  async pollAndAck(hub: Pick<RunningHub, 'url'>, member: HubCaller, ack: string[]): Promise<string[]> {
    const { json } = await this.poll(hub, member, { ack: ack.filter(Boolean), returnImmediately: true });
    return Object.keys(json['sets'] ?? {});
  }

  private async ask(hub: Pick<RunningHub, 'url'>, caller: HubCaller, query: string, variables: object, headers = {}) {
    return graphql(hub.url, await this.tokenFor(hub, caller, tokenOf), query, variables, headers);
  }

  /** A token is good for ten minutes: one for each caller, hub and kind. */
  private tokenFor(hub: Pick<RunningHub, 'url'>, caller: HubCaller, ask: typeof tokenOf): Promise<string> {
    const key = `${ask.name} ${hub.url} ${caller.clientId}`;
    const token = this.tokens.get(key) ?? ask(hub.url, caller);
    this.tokens.set(key, token);
    return token;
  }
}
