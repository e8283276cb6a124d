import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Bilingual, Rung, TruthRecord } from '@app/protocol';

/** What an agent posts to its exchange's hook; the part that is looked at here. */
export interface HookCall {
  idempotency_key: string;
  recommendation_id: string;
  member: string;
  access_key: string;
  rung: Rung;
  probability: number;
  explanation: Bilingual;
  customer_notice: Bilingual;
}

interface HookAnswer {
  outcome: 'executed' | 'declined';
  reason?: string;
  note?: string;
  followUps?: { outcome: string; note?: string }[];
}

/**
 * The hooks of the simulated exchanges: what their back offices would do. They know the truth, as a back office comes
 * to know it: a lent key's re-verification mostly fails or is ignored, an honest customer is asked once and cleared.
 */
export class SimulatedHooks {
  private readonly server: Server;
  private readonly answers = new Map<string, HookAnswer>();
  /** Every call that was acted on, once each. */
  readonly calls: HookCall[] = [];
  url = '';

  constructor(private readonly truth: ReadonlyMap<string, TruthRecord>) {
    this.server = createServer((request, response) => {
      this.take(request).then(
        (answer) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
        () => response.writeHead(400).end(),
      );
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage): Promise<HookAnswer> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const call = JSON.parse(text) as HookCall;
    const known = this.answers.get(call.idempotency_key);
    if (known) return known;
    const answer = decide(call, this.truth.get(`${call.member}/${call.access_key}`)?.lent ?? false);
    this.answers.set(call.idempotency_key, answer);
    this.calls.push(call);
    return answer;
  }
}

function decide(call: HookCall, lent: boolean): HookAnswer {
  const chance = createHash('sha256').update(call.access_key).digest()[0]! / 256;
  if (!lent && call.rung !== 'monitor')
    return {
      outcome: 'declined',
      reason: chance < 0.5 ? 'legitimate_multi_server' : 'false_positive',
      note: 'The customer showed that the servers are theirs.',
    };
  switch (call.rung) {
    case 'warn':
      return {
        outcome: 'executed',
        ...(chance < 0.5 ? { followUps: [{ outcome: 'upheld', note: 'The customer admitted lending.' }] } : {}),
      };
    case 'reverify':
      return {
        outcome: 'executed',
        followUps: [{ outcome: chance < 0.6 ? 'reverification_ignored' : 'reverification_failed' }],
      };
    default:
      return { outcome: 'executed' };
  }
}
