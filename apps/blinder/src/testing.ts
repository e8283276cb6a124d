import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { FakeClock } from '@app/infrastructure/clock';
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

  /** The caller's entry in the members file. */
  entry(more: object = {}): object {
    return { name: this.name, jwk: this.pair.publicKey.export({ format: 'jwk' }), ...more };
  }

  /** A token made at `now` (milliseconds); `claims` replaces the usual ones, undefined leaves one out. */
  async token(now: number, claims: Record<string, unknown> = {}): Promise<string> {
    const iat = Math.floor(now / 1000);
    const usual = { iss: this.name, sub: this.name, aud: 'bongsu-blinder', iat, exp: iat + 60, jti: randomUUID() };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: this.alg }).sign(this.pair.privateKey);
  }
}

/** What a spec's blinder logged, parsed. */
export type LogLine = Record<string, unknown>;

/** A folder of its own for a spec. */
export function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'blinder-'));
}

/** A blinder for a spec: a port of its own, a clock that stands at {@link NOON}, evaluation on the same thread. */
export async function openTestBlinder(
  members: object[],
  change: Partial<BlinderConfig> & { staff?: object[]; evaluator?: Evaluator } = {},
) {
  const { staff = [], evaluator, ...rest } = change;
  const dir = scratch();
  const config: BlinderConfig = {
    host: '127.0.0.1',
    port: 0,
    epoch: 1,
    seed: { from: 'env', seed: new Uint8Array(32).fill(7) },
    membersFile: join(dir, 'members.json'),
    dailyQuota: 10_000,
    stateDir: join(dir, 'state'),
    audience: 'bongsu-blinder',
    ...rest,
  };
  writeFileSync(config.membersFile, JSON.stringify({ members, staff }));
  const clock = new FakeClock(NOON);
  const logged: LogLine[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line) as LogLine) });
  const evaluatorFor = (secretKey: Uint8Array) => evaluator ?? new InlineEvaluator(secretKey);
  const blinder = await startBlinder(config, { clock, log, evaluatorFor });
  return { ...blinder, config, clock, log, logged };
}

/** The fields that answers have, whichever was asked. */
interface Answer {
  readonly code: string;
  readonly epoch: number;
  readonly epochs: { publicKey: string }[];
  readonly elements: string[];
  readonly proof: string;
  readonly entries: AuditEntry[];
}

/** Sends a request and reads the JSON answer. */
export async function ask(url: string, token: string | undefined, body?: unknown) {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}
