import { checkEvaluation, BlindingError, type Hop } from '@app/blinding';
import { codeOf, DoorError } from './errors.js';
import { HttpDoor } from './http.js';
import type { Clock, MemberKey } from './member-key.js';

/** Most elements in one call; a blinder takes up to 1,000. */
export const MAX_ELEMENTS = 500;
/** Seconds an assertion to a blinder holds; it takes at most 120. */
const ASSERTION_SECONDS = 100;

/** How a member reaches one blinder. */
export interface BlinderOptions {
  /** Base URL. */
  url: string;
  /** The blinder's committed public key for each epoch, 32 bytes, learnt from the alliance, never from an answer. */
  publicKeys: ReadonlyMap<number, Uint8Array>;
  member: string;
  key: MemberKey;
  clock: Clock;
  /** Audience that the blinder expects; `bongsu-blinder` unless it says otherwise. */
  audience?: string;
  /** Milliseconds for one call; 30,000 unless given. */
  timeoutMs?: number;
}

/** What a blinder says of one of its keys. */
export interface BlinderEpoch {
  epoch: number;
  /** base64url, 32 bytes. */
  publicKey: string;
  state: string;
}

/** One blinder's door. Every method throws {@link DoorError} and nothing else. */
export class BlinderClient {
  private readonly door: HttpDoor;

  constructor(private readonly options: BlinderOptions) {
    this.door = new HttpDoor('blinder', options.url);
  }

  get label(): string {
    return this.door.label;
  }

  /** The epochs that the blinder says it has. Its public keys are for comparing with the pinned ones. */
  async epochs(): Promise<BlinderEpoch[]> {
    const answer = await this.door.call({ method: 'GET', path: '/v1/epochs', timeoutMs: 10_000 });
    if (answer.status !== 200) throw this.failure(answer.status, answer.body, answer.retryAfterMs);
    const epochs = (answer.body as { epochs?: BlinderEpoch[] } | null)?.epochs;
    if (!Array.isArray(epochs)) throw this.bad('no list of epochs');
    return epochs;
  }

  /** @throws {DoorError} EPOCH_MISMATCH unless the blinder offers `epoch` with the pinned public key */
  async requireEpoch(epoch: number): Promise<void> {
    const offered = (await this.epochs()).find((e) => e.epoch === epoch);
    const pinned = Buffer.from(this.pinned(epoch)).toString('base64url');
    if (offered?.publicKey === pinned) return;
    throw new DoorError(
      this.label,
      'EPOCH_MISMATCH',
      offered
        ? `The ${this.label} offers another public key for epoch ${epoch} than the pinned one. Nothing is blinded ` +
            'with it: a key of your own would make your tokens recognisable. Ask the alliance which key is right.'
        : `The ${this.label} does not have epoch ${epoch}. Ask the alliance for the current epoch and its public key.`,
    );
  }

  /**
   * Has elements evaluated. The answer is not to be used before its proof is checked against the pinned key, which is
   * part of what is returned: {@link finalizeChain} does, and {@link requireProof} says whose fault it was.
   * @param elements 1 to {@link MAX_ELEMENTS} of 32 bytes
   */
  async evaluate(epoch: number, elements: readonly Uint8Array[]): Promise<Hop> {
    const publicKey = this.pinned(epoch);
    const body = JSON.stringify({ epoch, elements: elements.map((e) => Buffer.from(e).toString('base64url')) });
    let answer = await this.ask(body);
    // The assertion may have run out on the way where the clock is driven in steps.
    if (answer.status === 401) answer = await this.ask(body);
    if (answer.status !== 200) throw this.failure(answer.status, answer.body, answer.retryAfterMs);
    const { elements: evaluated, proof } = (answer.body ?? {}) as { elements?: string[]; proof?: string };
    if (!Array.isArray(evaluated) || typeof proof !== 'string') throw this.bad('no elements and proof');
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
    return { evaluated: evaluated.map(bytes), proof: bytes(proof), publicKey };
  }

  /** @throws {DoorError} BAD_PROOF unless the answer to `sent` was made with the pinned key */
  requireProof(epoch: number, sent: readonly Uint8Array[], hop: Hop): void {
    try {
      checkEvaluation(sent, hop);
    } catch (error) {
      if (!(error instanceof BlindingError)) throw error;
      throw new DoorError(
        this.label,
        'BAD_PROOF',
        `The ${this.label} did not prove that it used the pinned key of epoch ${epoch} (${error.message}). ` +
          'No token is made from its answer. Tell the alliance.',
      );
    }
  }

  async close(): Promise<void> {
    await this.door.close();
  }

  private async ask(body: string) {
    const { key, member, clock, audience, timeoutMs } = this.options;
    const assertion = await key.assertion(member, audience ?? 'bongsu-blinder', clock.now(), ASSERTION_SECONDS);
    return this.door.call({
      method: 'POST',
      path: '/v1/evaluate',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${assertion}` },
      body,
      timeoutMs: timeoutMs ?? 30_000,
    });
  }

  private pinned(epoch: number): Uint8Array {
    const publicKey = this.options.publicKeys.get(epoch);
    if (publicKey) return publicKey;
    throw new DoorError(
      this.label,
      'EPOCH_MISMATCH',
      `No public key of the ${this.label} is pinned for epoch ${epoch}.`,
    );
  }

  private failure(status: number, body: unknown, retryAfterMs: number | null): DoorError {
    const said = body as { code?: unknown; message?: string } | null;
    const code = codeOf(said?.code, status);
    const message = said?.message ?? `HTTP ${status}`;
    return new DoorError(this.label, code, `The ${this.label} answers ${code}: ${message}`, retryAfterMs, status);
  }

  private bad(what: string): DoorError {
    return new DoorError(this.label, 'BAD_ANSWER', `The ${this.label} answers ${what}; is this a blinder's address?`);
  }
}
