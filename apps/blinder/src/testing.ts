import { generateKeyPairSync, randomUUID, type JsonWebKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { FakeClock } from '@app/infrastructure/clock';
import { publicPart, signBlinderList, type BlinderList } from '@app/protocol';
import { pino } from 'pino';
import type { AuditEntry } from './audit-log.js';
import type { BlinderConfig } from './config.js';
import { InlineEvaluator, type Evaluator } from './evaluator.js';
import { startBlinder } from './start-blinder.js';

/** Noon, so that neither midnight is near. Milliseconds. */
export const NOON = Date.UTC(2026, 10, 20, 12);

/** A caller with its own key, for specs. */
export class TestCaller {
  private readonly pair: { publicKey: KeyObject; privateKey: KeyObject };

  constructor(
    readonly name: string,
    private readonly alg: 'ES256' | 'EdDSA' = 'ES256',
  ) {
    this.pair = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  }

  get jwk(): JsonWebKey {
    return this.pair.publicKey.export({ format: 'jwk' });
  }

  /** The caller's entry in the list of members. */
  entry(more: object = {}): BlinderList['members'][number] {
    return { name: this.name, keys: [this.jwk], ...more };
  }

  /** A token made at `now` (milliseconds); `claims` replaces the usual ones, undefined leaves one out. */
  async token(now: number, claims: Record<string, unknown> = {}): Promise<string> {
    const iat = Math.floor(now / 1000);
    const usual = { iss: this.name, sub: this.name, aud: 'bongsu-blinder', iat, exp: iat + 60, jti: randomUUID() };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: this.alg }).sign(this.pair.privateKey);
  }
}

/** The alliance's private key, for specs. */
export const ALLIANCE = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

/** A list of members, signed by {@link ALLIANCE} unless told otherwise: the content of a members file. */
export function signedList(change: Partial<BlinderList>, key: JsonWebKey = ALLIANCE): Promise<string> {
  const issuedAt = new Date(NOON).toISOString();
  return signBlinderList({ sequence: 1, issuedAt, members: [], staff: [], ...change }, key);
}

/** What a spec's blinder logged, parsed. */
export type LogLine = Record<string, unknown>;

/** A folder of its own for a spec. */
export function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'blinder-'));
}

/** Each list of this process is newer than those before: specs start blinders on one state folder again. */
let lists = 0;

/** A blinder for a spec: a port of its own, a clock that stands at {@link NOON}, evaluation on the same thread. */
export async function openTestBlinder(
  members: BlinderList['members'],
  change: Partial<BlinderConfig> &
    Partial<Pick<BlinderList, 'staff' | 'sequence'>> & {
      evaluator?: Evaluator;
      seed?: Uint8Array;
    } = {},
) {
  const { staff = [], sequence = ++lists, evaluator, seed = new Uint8Array(32).fill(7), ...rest } = change;
  const dir = scratch();
  const config: BlinderConfig = {
    host: '127.0.0.1',
    port: 0,
    epoch: 1,
    membersFile: join(dir, 'members.jws'),
    allianceKey: publicPart(ALLIANCE),
    production: false,
    dailyQuota: 10_000,
    keyDir: join(rest.stateDir ?? join(dir, 'state'), 'keys'),
    seedFile: undefined,
    stateDir: join(dir, 'state'),
    audience: 'bongsu-blinder',
    ...rest,
  };
  writeFileSync(config.membersFile, await signedList({ sequence, members, staff }));
  const clock = new FakeClock(NOON);
  const logged: LogLine[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line) as LogLine) });
  const evaluatorFor = (secretKey: Uint8Array) => evaluator ?? new InlineEvaluator(secretKey);
  const blinder = await startBlinder(config, { seed }, { clock, wallTime: clock, log, evaluatorFor });
  return { ...blinder, config, clock, log, logged };
}

/** The fields that answers have, whichever was asked. */
interface Answer {
  readonly code: string;
  readonly epoch: number;
  readonly epochs: { epoch: number; publicKey: string; state: string }[];
  readonly destroyed: { epoch: number; publicKey: string; at: string; by: string; auditSeq: number };
  readonly elements: string[];
  readonly proof: string;
  readonly entries: AuditEntry[];
}

/** Sends a request and reads the JSON answer. */
export async function ask(url: string, token: string | undefined, body?: unknown, method?: string) {
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}
