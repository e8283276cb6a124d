import { Module, type DynamicModule } from '@nestjs/common';
import { AccessTokens } from './access-tokens.service.js';
import { AuthorizationServer } from './authorization-server.service.js';
import { ClientDirectory } from './client-directory.service.js';
import { Denials } from './denials.service.js';
import { ExternalIssuers } from './external-issuers.service.js';
import { IdentityOptions } from './identity.options.js';
import { MemberEndpointRepository } from './member-endpoint.repository.js';
import { MemberEndpoints } from './member-endpoints.service.js';
import { MemberKeys } from './member-keys.service.js';
import { MemberRepository } from './member.repository.js';
import { Members } from './members.service.js';
import { MemberAdapter } from './persistence/member.adapter.js';
import { MemberEndpointAdapter } from './persistence/member-endpoint.adapter.js';
import { PersonAdapter } from './persistence/person.adapter.js';
import { UsedAssertionAdapter } from './persistence/used-assertion.adapter.js';
import { People } from './people.service.js';
import { PersonRepository } from './person.repository.js';
import { SigningKeyRetirement } from './signing-key-retirement.service.js';
import { UsedAssertionRepository } from './used-assertion.repository.js';
import { UsedAssertions } from './used-assertions.service.js';

const SERVICES = [
  AccessTokens,
  AuthorizationServer,
  ClientDirectory,
  Denials,
  ExternalIssuers,
  MemberEndpoints,
  MemberKeys,
  Members,
  People,
  SigningKeyRetirement,
  UsedAssertions,
];

/** Needs `Database` and `Clock` from the app, and KeysModule and AuditModule beside it. */
@Module({})
export class IdentityModule {
  static forRoot(options: IdentityOptions): DynamicModule {
    return {
      module: IdentityModule,
      global: true,
      providers: [
        { provide: IdentityOptions, useValue: options },
        { provide: MemberRepository, useClass: MemberAdapter },
        { provide: MemberEndpointRepository, useClass: MemberEndpointAdapter },
        { provide: PersonRepository, useClass: PersonAdapter },
        { provide: UsedAssertionRepository, useClass: UsedAssertionAdapter },
        ...SERVICES,
      ],
      exports: SERVICES,
    };
  }
}
