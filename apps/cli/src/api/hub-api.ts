import { readFileSync } from 'node:fs';
import type { Clock } from '@app/infrastructure/clock';
import { HubSession, MemberKey } from '@app/member-sdk';
import { BongsuError, type ErrorCode } from '@app/protocol';

/** The hub's GraphQL door, in a person's name. */
export class HubApi {
  private constructor(private readonly session: HubSession) {}

  /**
   * @param clientId `staff:…` or `regulator:…`
   * @param keyFile private JWK
   * @throws {BongsuError} CONFIG_INVALID for a key file that cannot be used
   */
  static async open(hubUrl: string, clientId: string, keyFile: string, clock: Clock): Promise<HubApi> {
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
    return new HubApi(new HubSession({ url: hubUrl, clientId, key, clock }));
  }

  /** One GraphQL operation. @throws {BongsuError} with the hub's code */
  async query<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const { status, body } = await this.session.call({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (body ?? {}) as {
      data?: T;
      errors?: { message: string; extensions?: { code?: ErrorCode; where?: string } }[];
    };
    const [error] = answer.errors ?? [];
    if (error) throw new BongsuError(error.extensions?.code ?? 'INTERNAL', error.message, error.extensions?.where);
    if (status !== 200 || !answer.data) throw new BongsuError('UNAVAILABLE', `The hub answered HTTP ${status}.`);
    return answer.data;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
