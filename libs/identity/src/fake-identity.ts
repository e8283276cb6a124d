import { generateKeyPairSync } from 'node:crypto';
import { AuditLog, FakeAuditRepository } from '@app/audit';
import type { Clock } from '@app/infrastructure/clock';
import { Database, type Principal, type Tx } from '@app/infrastructure/database';
import { FakeSigningKeyRepository, SigningKeys } from '@app/keys';
import { AccessTokens } from './access-tokens.service.js';
import { AuthorizationServer } from './authorization-server.service.js';
import { ClientDirectory } from './client-directory.service.js';
import { Denials } from './denials.service.js';
import type { ExternalIssuer } from './domain/external-issuer.js';
import { ExternalIssuers } from './external-issuers.service.js';
import { FakeMemberEndpointRepository } from './fake-member-endpoint.repository.js';
import { FakeMemberRepository } from './fake-member.repository.js';
import { FakePersonRepository } from './fake-person.repository.js';
import { FakeUsedAssertionRepository } from './fake-used-assertion.repository.js';
import { MemberEndpoints } from './member-endpoints.service.js';
import { MemberKeys } from './member-keys.service.js';
import { Members } from './members.service.js';
import { People } from './people.service.js';
import { UsedAssertions } from './used-assertions.service.js';

/** Runs the work without a database: for fakes, which ignore their transaction. */
class NoDatabase extends Database {
  transaction<T>(_principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    return work({} as Tx);
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Every service of this lib on fakes, for specs that need no database. */
export function createFakeIdentity(
  clock: Clock,
  issuer = 'https://hub.example',
  production = false,
  issuers: ExternalIssuer[] = [],
) {
  const database = new NoDatabase();
  const options = { issuer: () => issuer, production, issuers };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKey = JSON.stringify(privateKey.export({ format: 'jwk' }));
  const keys = new SigningKeys(database, clock, new FakeSigningKeyRepository(), { signingKey });
  const auditRows = new FakeAuditRepository();
  const audit = new AuditLog(auditRows, clock);
  const memberRows = new FakeMemberRepository();
  const personRows = new FakePersonRepository();
  const endpointRows = new FakeMemberEndpointRepository();
  const clients = new ClientDirectory(database, memberRows, personRows);
  const used = new FakeUsedAssertionRepository();
  const usedAssertions = new UsedAssertions(database, used);
  const denials = new Denials(database, audit);
  return {
    auditRows,
    clients,
    endpointRows,
    keys,
    memberRows,
    used,
    authorizationServer: new AuthorizationServer(keys, clients, usedAssertions, denials, options),
    accessTokens: new AccessTokens(keys, clients, new ExternalIssuers(options), usedAssertions, denials, options),
    endpoints: new MemberEndpoints(endpointRows),
    memberKeys: new MemberKeys(database, memberRows, personRows, clients, usedAssertions, audit, options),
    members: new Members(database, clock, memberRows, endpointRows, clients, audit, options),
    people: new People(database, clock, personRows, clients, audit),
  };
}
