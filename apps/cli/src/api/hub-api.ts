import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { HubSession, MemberKey, type Answer } from '@app/member-sdk';
import { BongsuError, type ErrorCode } from '@app/protocol';

/** Longest that a command waits because the hub asked it to, milliseconds; a longer wait is told instead. */
const PATIENCE_MS = 60_000;

/** Even a Retry-After of nothing is no reason to ask without end. */
const LEAST_PAUSE_MS = 100;

/** The hub's GraphQL door, in a person's name. */
export class HubApi {
  private constructor(private readonly session: HubSession) {}

  /**
   * @param clientId `staff:…` or `regulator:…`
   * @param keyFile private JWK
   * @throws {BongsuError} CONFIG_INVALID for a key file that cannot be used
   */
  static async open(hubUrl: string, clientId: string, keyFile: string): Promise<HubApi> {
    let key: MemberKey;
    try {
      key = await MemberKey.fromJwk(JSON.parse(readFileSync(keyFile, 'utf8')) as object);
    } catch {
      throw new BongsuError(
        'CONFIG_INVALID',
        `${keyFile} cannot be read as a private JWK; name yours with --key.`,
        '--key',
      );
    }
    return new HubApi(new HubSession({ url: hubUrl, clientId, key }));
  }

  /** One GraphQL operation. @throws {BongsuError} with the hub's code */
  async query<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const { status, body, requestId } = await this.ask(JSON.stringify({ query, variables }));
    const answer = (body ?? {}) as {
      data?: T;
      code?: ErrorCode;
      message?: string;
      errors?: { message: string; extensions?: { code?: ErrorCode; where?: string } }[];
    };
    const [error] = answer.errors ?? [];
    if (error) throw new BongsuError(error.extensions?.code ?? 'INTERNAL', error.message, error.extensions?.where);
    if (status !== 200 || !answer.data)
      throw new BongsuError(
        answer.code ?? 'UNAVAILABLE',
        `${answer.message ?? `The hub answered HTTP ${status}.`} (request ${requestId})`,
      );
    return answer.data;
  }

  /** Asks, and where there were too many requests waits as told and asks again. */
  private async ask(body: string): Promise<Answer> {
    let waited = 0;
    for (;;) {
      const answer = await this.session.call({
        method: 'POST',
        path: '/graphql',
        headers: { 'content-type': 'application/json' },
        body,
      });
      if (answer.status !== 429 || answer.retryAfterMs === null) return answer;
      const pause = Math.max(answer.retryAfterMs, LEAST_PAUSE_MS);
      waited += pause;
      if (waited > PATIENCE_MS) return answer;
      await wait(pause);
    }
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
