import { encodeToken } from '@app/protocol';
import { SigningKeys } from '@app/keys';
import { FakeClock } from '@app/infrastructure/clock';
import { EventReceiver, verifyCompact } from '../../../test/support/event-receiver.js';
import { addMember, ISSUER, partsOf, type Member } from '../../../test/support/parts.js';
import { issueRecommendation } from '../../../test/support/recommendations.js';
import { clearSignals } from '../../../test/support/standing-rows.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { token } from '../../../test/support/tokens.js';
import { PushDelivery } from './push-delivery.service.js';

const NOW = Date.parse('2026-06-10T00:00:00Z');

describe('pushing events to members', () => {
  let db: TestDatabase;
  let delivery: PushDelivery;
  let keys: SigningKeys;
  let receiver: EventReceiver;
  let slow: EventReceiver;
  let upbit: Member;
  let bithumb: Member;
  let poller: Member;
  let close: () => Promise<void>;
  const clock = new FakeClock(NOW);

  beforeAll(async () => {
    db = await createTestDatabase();
    receiver = await EventReceiver.start();
    slow = await EventReceiver.start();
    upbit = await addMember(db, 'upbit', { url: receiver.url, authorization: 'Bearer of-upbit' });
    bithumb = await addMember(db, 'bithumb', { url: slow.url });
    poller = await addMember(db, 'korbit');
    const parts = await partsOf(db, 'worker', clock);
    delivery = parts.get(PushDelivery);
    keys = parts.get(SigningKeys);
    close = () => parts.close();
  });
  beforeEach(async () => {
    await clearSignals(db);
    clock.at = NOW;
    for (const r of [receiver, slow]) {
      r.received.length = 0;
      r.answer = () => ({ status: 202 });
    }
  });
  afterAll(async () => {
    await close?.();
    await Promise.all([receiver?.stop(), slow?.stop()]);
    await db?.close();
  });

  const issue = (key: string, member = upbit) => issueRecommendation(db, member.memberId, { key, issuedAt: NOW });
  const outbox = async (jti: string) => {
    const [row] = await db.asOwner<Record<string, unknown>>(
      `SELECT d.state, d.attempts, d.last_error, d.next_attempt_at, r.state AS recommendation, r.delivered_at, r.acknowledged_at
       FROM deliveries d JOIN recommendations r ON r.id = d.recommendation_id WHERE d.jti = $1`,
      [jti],
    );
    return row!;
  };

  it('sends a signed event that an independent receiver can verify', async () => {
    const { id, jti } = await issue('a');
    expect(await delivery.deliver(upbit.memberId)).toBe(1);
    expect(receiver.received).toHaveLength(1);
    const [push] = receiver.received;
    expect(push).toMatchObject({ contentType: 'application/secevent+jwt', authorization: 'Bearer of-upbit' });
    const { header, claims } = verifyCompact(push!.body, (await keys.jwks()).keys as Record<string, unknown>[]);
    expect(header).toMatchObject({ typ: 'secevent+jwt', alg: 'ES256', kid: expect.any(String) });
    expect(claims).toMatchObject({
      iss: ISSUER,
      aud: 'member:upbit',
      jti,
      txn: id,
      iat: NOW / 1000,
      sub_id: { format: 'opaque', id: encodeToken(token('key a')) },
    });
    // RFC 8417, sections 2.2 and 4: neither exp nor sub, and one event.
    expect(claims).not.toHaveProperty('exp');
    expect(claims).not.toHaveProperty('sub');
    const events = Object.entries(claims['events'] as Record<string, Record<string, unknown>>);
    expect(events).toHaveLength(1);
    expect(events[0]![0]).toBe('urn:x-bongsu:event:recommendation:v1');
    expect(events[0]![1]).toMatchObject({
      recommendation_id: id,
      rung: 'warn',
      probability: 0.5,
      policy_version: '1.0.0',
      issued_at: '2026-06-10T00:00:00.000Z',
      deadline: '2026-06-13T00:00:00.000Z',
      supersedes: null,
      initiating_entity: 'policy',
      event_timestamp: NOW / 1000,
      reasons: [{ code: 'N1', nats: 1.5, text: { ko: '이유', en: 'a reason' } }],
    });
    const [, body, signature] = push!.body.split('.');
    const forged = `${push!.body.split('.')[0]}.${body!.slice(0, -2)}AA.${signature}`;
    expect(() => verifyCompact(forged, [])).toThrow();
  });

  it('takes 202 for acknowledged, and sends no event twice', async () => {
    const { jti } = await issue('a');
    clock.at += 1000;
    await delivery.deliver(upbit.memberId);
    expect(await outbox(jti)).toMatchObject({
      state: 'acknowledged',
      recommendation: 'acknowledged',
      delivered_at: new Date(NOW + 1000),
      acknowledged_at: new Date(NOW + 1000),
      last_error: null,
    });
    clock.at += 10 ** 9;
    expect(await delivery.deliver(upbit.memberId)).toBe(0);
    expect(receiver.received).toHaveLength(1);
  });

  it('puts an event aside that the receiver refuses for what it is, and goes on', async () => {
    const refused = await issue('a');
    const next = await issue('b');
    receiver.answer = ({ body }) =>
      receiver.jtis.at(-1) === refused.jti && body
        ? { status: 400, body: JSON.stringify({ err: 'invalid_audience', description: 'not us' }) }
        : { status: 202 };
    await delivery.deliver(upbit.memberId);
    expect(await outbox(refused.jti)).toMatchObject({ state: 'dead', attempts: 1, recommendation: 'issued' });
    expect((await outbox(refused.jti))['last_error']).toContain('invalid_audience not us');
    expect(await outbox(next.jti)).toMatchObject({ state: 'acknowledged' });
    clock.at += 10 ** 9;
    await delivery.deliver(upbit.memberId);
    expect(receiver.received).toHaveLength(2);
  });

  it.each<[string, { status: number; body?: string; headers?: Record<string, string> }, RegExp]>([
    ['500', { status: 500 }, /answered 500/],
    ['401', { status: 401 }, /answered 401/],
    ['200, which RFC 8935 does not know', { status: 200 }, /wants 202/],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, /redirects are not followed/],
    ['400 without a reason', { status: 400, body: 'oops' }, /without a reason/],
  ])('tries again later after %s', async (_what, answer, reason) => {
    const { jti } = await issue('a');
    receiver.answer = () => answer;
    expect(await delivery.deliver(upbit.memberId)).toBe(0);
    const after = await outbox(jti);
    expect(after).toMatchObject({ state: 'pending', attempts: 1, recommendation: 'issued', delivered_at: null });
    expect(after['last_error']).toMatch(reason);
    const next = (after['next_attempt_at'] as Date).getTime();
    expect(next).toBeGreaterThan(NOW);
    clock.at = next - 1;
    await delivery.deliver(upbit.memberId);
    expect(receiver.received).toHaveLength(1);
    receiver.answer = () => ({ status: 202 });
    clock.at = next;
    expect(await delivery.deliver(upbit.memberId)).toBe(1);
    expect(new Set(receiver.jtis)).toEqual(new Set([jti]));
    expect(await outbox(jti)).toMatchObject({ state: 'acknowledged' });
  });

  it('sends nothing to an address that is not public, though it is registered, and says so', async () => {
    const { jti } = await issue('a');
    await db.asOwner(`UPDATE members SET endpoint_url = 'https://169.254.169.254/latest' WHERE id = $1`, [
      upbit.memberId,
    ]);
    try {
      expect(await delivery.deliver(upbit.memberId)).toBe(0);
    } finally {
      await db.asOwner('UPDATE members SET endpoint_url = $2 WHERE id = $1', [upbit.memberId, receiver.url]);
    }
    expect(await outbox(jti)).toMatchObject({
      state: 'pending',
      last_error: expect.stringMatching(/^not sent: the endpoint names a private or reserved address/),
    });
  });

  it('waits as long as Retry-After says, and longer each time', async () => {
    const { jti } = await issue('a');
    receiver.answer = () => ({ status: 503, headers: { 'retry-after': '120' } });
    await delivery.deliver(upbit.memberId);
    expect((await outbox(jti))['next_attempt_at']).toEqual(new Date(NOW + 120_000));
    receiver.answer = () => ({ status: 503 });
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      clock.at = ((await outbox(jti))['next_attempt_at'] as Date).getTime();
      await delivery.deliver(upbit.memberId);
      waits.push(((await outbox(jti))['next_attempt_at'] as Date).getTime() - clock.at);
    }
    for (let i = 1; i < waits.length; i++) expect(waits[i]!).toBeGreaterThanOrEqual(waits[i - 1]!);
  });

  it('never gives an event up because its member is away for long', async () => {
    const { jti } = await issue('a');
    await db.asOwner('UPDATE deliveries SET attempts = 500');
    receiver.answer = () => ({ status: 500 });
    await delivery.deliver(upbit.memberId);
    expect(await outbox(jti)).toMatchObject({ state: 'pending', attempts: 501 });
  });

  it('does not let a later event of a key overtake one that waits for its next attempt', async () => {
    const first = await issue('same');
    receiver.answer = () => ({ status: 500 });
    await delivery.deliver(upbit.memberId);
    const [second, other] = [await issue('same'), await issue('another')];
    receiver.answer = () => ({ status: 202 });
    await delivery.deliver(upbit.memberId);
    expect((await outbox(other.jti)).state).toBe('acknowledged');
    expect((await outbox(first.jti)).state).toBe('pending');
    expect((await outbox(second.jti)).state).toBe('pending');
  });

  it('stops at a failing endpoint, instead of trying every event against it', async () => {
    for (let i = 0; i < 30; i++) await issue(`key ${i}`);
    receiver.answer = () => ({ status: 500 });
    await delivery.deliver(upbit.memberId);
    expect(receiver.received.length).toBeLessThan(10);
  });

  it('keeps the order of one key’s events: the next goes out when the one before is answered', async () => {
    const order: string[] = [];
    for (let i = 0; i < 4; i++) order.push((await issue('same')).jti);
    await issue('another');
    let underWay = 0;
    let most = 0;
    receiver.answer = async () => {
      if (!order.includes(receiver.jtis.at(-1)!)) return { status: 202 };
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 20));
      underWay--;
      return { status: 202 };
    };
    await delivery.deliver(upbit.memberId);
    expect(receiver.jtis.filter((jti) => order.includes(jti))).toEqual(order);
    expect(receiver.received).toHaveLength(5);
    expect(most).toBe(1);
  });

  it('pushes only to active members that are pushed to', async () => {
    await issue('a', poller);
    await issue('a');
    expect(await delivery.membersDue()).toEqual([upbit.memberId]);
    expect(await delivery.deliver(poller.memberId)).toBe(0);
    await db.asOwner(`UPDATE members SET state = 'suspended' WHERE id = $1`, [upbit.memberId]);
    try {
      expect(await delivery.membersDue()).toEqual([]);
      expect(await delivery.deliver(upbit.memberId)).toBe(0);
    } finally {
      await db.asOwner(`UPDATE members SET state = 'active' WHERE id = $1`, [upbit.memberId]);
    }
    expect(receiver.received).toEqual([]);
  });

  it('is not slowed for one member by another that never answers, and tries that one again', async () => {
    const stuck = await issue('a', bithumb);
    slow.answer = () => 'hang';
    const hanging = delivery.deliver(bithumb.memberId);
    while (slow.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let i = 0; i < 20; i++) await issue(`key ${i}`);
    expect(await delivery.deliver(upbit.memberId)).toBe(20);
    // Still under way: the other member's twenty went through meanwhile.
    expect(await outbox(stuck.jti)).toMatchObject({ state: 'pending', attempts: 0 });
    expect(await hanging).toBe(0);
    const after = await outbox(stuck.jti);
    expect(after).toMatchObject({ state: 'pending', attempts: 1 });
    expect(after['last_error']).toMatch(/no answer/);
  }, 30_000);
});
