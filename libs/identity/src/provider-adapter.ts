import { decodeProtectedHeader } from 'jose';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import type { ClientDirectory } from './client-directory.service.js';
import { ASSERTION_LIFE_S, ASSERTION_SKEW_S } from './domain/client-assertion.js';
import { parseClientId } from './domain/client-id.js';
import { assertionAlgorithm } from './domain/public-jwk.js';
import type { UsedAssertions } from './used-assertions.service.js';

/** Nothing is kept for the authorization server but what the two adapters below say: tokens are signed, not stored. */
abstract class NothingKept implements Adapter {
  abstract find(id: string): Promise<AdapterPayload | undefined>;
  async upsert(): Promise<void> {}
  async findByUserCode(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

/** Clients as our own register knows them; who is unknown or suspended is none. */
export class ClientAdapter extends NothingKept {
  constructor(private readonly clients: ClientDirectory) {
    super();
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const parsed = parseClientId(id);
    const client = parsed && (await this.clients.find(parsed));
    if (!client) return undefined;
    // The register knows keys by what they are. Whichever name the assertion gives its key, all of the client's are tried.
    const kid = claimedKid();
    const keys = client.keys.map((jwk) => ({ ...jwk, alg: assertionAlgorithm(jwk), use: 'sig', ...kid }));
    return { client_id: client.id, jwks: { keys } } as AdapterPayload;
  }
}

/** Marks assertions and proofs as used. */
export class ReplayAdapter extends NothingKept {
  constructor(private readonly used: UsedAssertions) {
    super();
  }

  /**
   * The server asks whether an id was seen, then stores it. Two processes could both be told "no": so the question itself
   * marks, in one statement, and nothing is left to store.
   */
  async find(id: string): Promise<AdapterPayload | undefined> {
    const clientId = Provider.ctx?.oidc.client?.clientId ?? '-';
    const fresh = await this.used.use(clientId, id, ASSERTION_LIFE_S + 2 * ASSERTION_SKEW_S);
    return fresh ? undefined : { jti: id, kind: 'ReplayDetection' };
  }
}

/** For kinds of things that the configuration never lets come into being. */
export class EmptyAdapter extends NothingKept {
  async find(): Promise<undefined> {}
}

function claimedKid(): { kid?: string } {
  try {
    const { kid } = decodeProtectedHeader(String(Provider.ctx?.oidc.params?.['client_assertion']));
    return typeof kid === 'string' && kid !== '' ? { kid } : {};
  } catch {
    return {};
  }
}
