import { randomBytes } from 'node:crypto';
import { blind, checkEvaluation, BlindingError, type Hop } from '@app/blinding';
import { codeOf, DoorError } from './errors.js';
import { HttpDoor, type Answer } from './http.js';
import type { KeyRing, MemberKey } from './member-key.js';

/** Most elements in one call; a blinder takes up to 1,000. */
export const MAX_ELEMENTS = 500;
/** Seconds an assertion to a blinder holds; it takes at most 120. */
const ASSERTION_SECONDS = 100;
/** How long an older key is used, where the blinder refused the newest, before that is tried again. */
const TRY_NEWEST_EVERY_MS = 3_600_000;

/** How a member reaches one blinder. */
export interface BlinderOptions {
  /** Base URL. */
  url: string;
  /** The blinder's committed public key for each epoch, 32 bytes, learnt from the alliance, never from an answer. */
  publicKeys: ReadonlyMap<number, Uint8Array>;
  member: string;
  /** Where the blinder does not know the newest key yet, the one before is used; which, is remembered. */
  key: KeyRing;
  /** This machine's time, milliseconds since 1970; the system's clock unless given. Never a simulated one. */
  now?: () => number;
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
  private readonly pins: Map<number, Uint8Array>;
  /** The key that was taken last, and when that was found out (this process's monotonic milliseconds). */
  private used: { key: MemberKey; since: number } | null = null;

  constructor(private readonly options: BlinderOptions) {
    this.door = new HttpDoor('blinder', options.url, options.now);
    this.pins = new Map(options.publicKeys);
  }

  /** Pins the public key of one more epoch. @throws {DoorError} EPOCH_MISMATCH where another is pinned for it */
  pin(epoch: number, publicKey: Uint8Array): void {
    const before = this.pins.get(epoch);
    if (before && !Buffer.from(before).equals(publicKey))
      throw new DoorError(
        this.label,
        'EPOCH_MISMATCH',
        `Another key of the ${this.label} is pinned for epoch ${epoch}.`,
      );
    this.pins.set(epoch, publicKey);
  }

  /** The public key pinned for an epoch, base64url; null for none. */
  pinnedKey(epoch: number): string | null {
    const key = this.pins.get(epoch);
    return key === undefined ? null : Buffer.from(key).toString('base64url');
  }

  get label(): string {
    return this.door.label;
  }

  /** Name of the key that the blinder took last; null before it took one. */
  get keyInUse(): string | null {
    return this.used?.key.name ?? null;
  }

  /**
   * Whether the blinder knows this member, and proves its pinned key: has one random element evaluated, which counts
   * against the day's quota.
   * @throws {DoorError} as {@link evaluate}, BAD_PROOF
   */
  async tryOut(epoch: number): Promise<void> {
    const { blinded } = blind([randomBytes(32)]);
    this.requireProof(epoch, blinded, await this.evaluate(epoch, blinded));
  }

  /** The epochs that the blinder says it has. Its public keys are for comparing with the pinned ones. */
  async epochs(): Promise<BlinderEpoch[]> {
    const answer = await this.door.call({ method: 'GET', path: '/v1/epochs', timeoutMs: 10_000 });
    if (answer.status !== 200) throw this.failure(answer);
    const epochs = (answer.body as { epochs?: BlinderEpoch[] } | null)?.epochs;
    if (!Array.isArray(epochs)) throw this.bad(answer, 'no list of epochs');
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
    const answer = await this.askWithKeys(body);
    if (answer.status !== 200) throw this.failure(answer);
    const { elements: evaluated, proof } = (answer.body ?? {}) as { elements?: string[]; proof?: string };
    if (!Array.isArray(evaluated) || typeof proof !== 'string') throw this.bad(answer, 'no elements and proof');
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

  /** Asks with the key used last, else newest first, until the blinder takes one. */
  private async askWithKeys(body: string): Promise<Answer> {
    const keys = await this.options.key.keys();
    const { used } = this;
    const known = keys.find((key) => key.thumbprint === used?.key.thumbprint);
    const stays = known !== undefined && (known === keys[0] || performance.now() - used!.since < TRY_NEWEST_EVERY_MS);
    let refusal: Answer | null = null;
    for (const key of stays ? [known, ...keys.filter((other) => other !== known)] : keys) {
      let answer = await this.ask(body, key);
      // The answer told the blinder's time: what was signed by another one is signed again.
      if (answer.status === 401 && answer.timeMoved) answer = await this.ask(body, key);
      if (answer.status !== 401) {
        if (!stays || key !== this.used?.key) this.used = { key, since: performance.now() };
        return answer;
      }
      refusal ??= answer;
    }
    if (refusal === null) throw new DoorError(this.label, 'UNAUTHENTICATED', 'There is no key to sign with.');
    return refusal;
  }

  private async ask(body: string, key: MemberKey): Promise<Answer> {
    const { member, audience = 'bongsu-blinder', timeoutMs } = this.options;
    const assertion = await key.assertion(member, audience, this.door.time.now(), ASSERTION_SECONDS);
    return this.door.call({
      method: 'POST',
      path: '/v1/evaluate',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${assertion}` },
      body,
      timeoutMs: timeoutMs ?? 30_000,
    });
  }

  private pinned(epoch: number): Uint8Array {
    const publicKey = this.pins.get(epoch);
    if (publicKey) return publicKey;
    throw new DoorError(
      this.label,
      'EPOCH_MISMATCH',
      `No public key of the ${this.label} is pinned for epoch ${epoch}.`,
    );
  }

  private failure(answer: Answer): DoorError {
    const said = answer.body as { code?: unknown; message?: string } | null;
    const code = codeOf(said?.code, answer.status);
    const message = said?.message ?? `HTTP ${answer.status}`;
    return this.door.failure(answer, code, `The ${this.label} answers ${code}: ${message}`);
  }

  private bad(answer: Answer, what: string): DoorError {
    return this.door.failure(answer, 'BAD_ANSWER', `The ${this.label} answers ${what}; is this a blinder's address?`);
  }
}
