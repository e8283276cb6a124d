import { generateKeyPairSync } from 'node:crypto';
import { Global, Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Assess, AssessmentsModule, RungRises } from '@app/assessments';
import { AuditModule } from '@app/audit';
import { IdentityModule } from '@app/identity';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Principal } from '@app/infrastructure/database';
import { Outgoing } from '@app/infrastructure/outgoing';
import { FakeJobs, Jobs } from '@app/infrastructure/queue';
import { KeysModule } from '@app/keys';
import { ForgetKeys, HubIssuer, IssueRecommendations, PushDelivery, RecommendationsModule } from '@app/recommendations';
import { Reports } from '@app/reports';
import { Erase, Erasures, KeyFollowers, Retain, Rotate, SignalsModule } from '@app/signals';
import { StandardModule } from '@app/standard';
import type { TestDatabase } from './test-database.js';

export const ISSUER = 'https://hub.example';
export type Member = Extract<Principal, { kind: 'member' }>;

/** A fresh private key that the hub, or a member, signs with: JSON of the JWK. */
export function privateJwk(): string {
  return JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }));
}

/** The public half of a private JWK. */
export function publicJwk(jwk: string): Record<string, unknown> {
  const { d: _private, ...open } = JSON.parse(jwk) as Record<string, unknown>;
  return open;
}

/**
 * The hub's or the worker's services on a test's database, clock and jobs, without any process.
 * @param rises what follows from a rise; recommendations by default
 */
export async function partsOf(
  db: TestDatabase,
  side: 'hub' | 'worker',
  clock: Clock,
  options: { jobs?: Jobs; rises?: Type<RungRises>; signingKey?: string } = {},
): Promise<TestingModule> {
  const { jobs = new FakeJobs(), rises = IssueRecommendations, signingKey = privateJwk() } = options;
  const given = [
    { provide: Database, useValue: db[side] },
    { provide: Clock, useValue: clock },
    { provide: Jobs, useValue: jobs },
    { provide: HubIssuer, useValue: new HubIssuer(() => ISSUER) },
    { provide: Outgoing, useValue: new Outgoing({ production: false, allowPrivate: [] }) },
  ];
  @Global()
  @Module({ providers: given, exports: [Database, Clock, Jobs, HubIssuer, Outgoing] })
  class SurroundingsModule {}
  return Test.createTestingModule({
    imports: [
      SurroundingsModule,
      KeysModule.forRoot({ signingKey }),
      AuditModule,
      IdentityModule.forRoot({ issuer: () => ISSUER, production: false }),
      StandardModule,
      SignalsModule,
      AssessmentsModule,
      RecommendationsModule,
    ],
    providers: [
      Assess,
      { provide: RungRises, useClass: rises },
      { provide: KeyFollowers, useClass: ForgetKeys },
      PushDelivery,
      Reports,
      Erasures,
      Erase,
      Retain,
      Rotate,
    ],
  }).compile();
}

/** Registers a member, as staff would have. @returns the principal of its calls */
export async function addMember(
  db: TestDatabase,
  name: string,
  endpoint?: { url: string; authorization?: string },
): Promise<Member> {
  const [row] = await db.asOwner<{ id: number }>(
    `INSERT INTO members (name, jwk, delivery_method, endpoint_url, created_at) VALUES ($1, $2, $3, $4, now()) RETURNING id`,
    [name, JSON.stringify(publicJwk(privateJwk())), endpoint ? 'push' : 'poll', endpoint?.url ?? null],
  );
  if (endpoint?.authorization)
    await db.asOwner('INSERT INTO member_endpoint_secrets VALUES ($1, $2)', [row!.id, endpoint.authorization]);
  return { kind: 'member', memberId: row!.id, name };
}
