import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign, importJWK, type JWK } from 'jose';
import { BLINDER_LIST_TYPE, checkBlinderList, openBlinderList, publicPart, signBlinderList } from './blinder-list.js';
import { BongsuError } from './errors.js';

const pair = (kind: 'ec' | 'ed25519' = 'ec') =>
  (kind === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519')
  ).privateKey.export({ format: 'jwk' });
const alliance = pair();
const jwk = publicPart(pair());
const other = publicPart(pair('ed25519'));
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const list = {
  sequence: 3,
  issuedAt: '2026-11-20T03:00:00.000Z',
  members: [{ name: 'upbit', keys: [jwk], dailyQuota: 5 }],
  staff: [{ name: 'lee@alliance', keys: [other] }],
};
const refused = (where?: string) => expect.objectContaining({ code: 'BAD_INPUT', ...(where ? { where } : {}) });

describe('the list of members', () => {
  it.each<[string, unknown, string | undefined]>([
    ['that is none', null, undefined],
    ['without a sequence', { ...list, sequence: undefined }, 'sequence'],
    ['with a broken sequence', { ...list, sequence: 1.5 }, 'sequence'],
    ['with a time that is none', { ...list, issuedAt: 'yesterday' }, 'issuedAt'],
    ['without members', { ...list, members: undefined }, 'members'],
    ['with a name that is none', { ...list, members: [{ name: 'Up bit', keys: [jwk] }] }, 'members[0].name'],
    ['with a name twice', { ...list, members: [...list.members, { name: 'upbit', keys: [other] }] }, 'members[1].name'],
    ['with a key twice', { ...list, staff: [{ name: 'lee', keys: [jwk] }] }, 'staff[0].keys[0]'],
    ['with a private key', { ...list, members: [{ name: 'upbit', keys: [alliance] }] }, 'members[0].keys[0]'],
    ['with an RSA key', { ...list, members: [{ name: 'upbit', keys: [rsa] }] }, 'members[0].keys[0]'],
    [
      'with a point off its curve',
      { ...list, members: [{ name: 'upbit', keys: [{ ...jwk, x: 'AA' }] }] },
      'members[0].keys[0]',
    ],
    ['with no key', { ...list, members: [{ name: 'upbit', keys: [] }] }, 'members[0].keys'],
    [
      'with three keys',
      { ...list, members: [{ name: 'upbit', keys: [jwk, other, publicPart(pair())] }] },
      'members[0].keys',
    ],
    [
      'with a quota below zero',
      { ...list, members: [{ name: 'upbit', keys: [jwk], dailyQuota: -1 }] },
      'members[0].dailyQuota',
    ],
  ])('is refused %s', (_name, value, where) => {
    expect(() => checkBlinderList(value)).toThrow(refused(where));
  });

  it.each(['ec', 'ed25519'] as const)('that is signed opens with the public key alone (%s)', async (kind) => {
    const key = pair(kind);
    expect(await openBlinderList(`${await signBlinderList(list, key)}\n`, publicPart(key))).toEqual(list);
  });

  it('cannot be signed by a public key, or before it has a number', async () => {
    await expect(signBlinderList(list, publicPart(alliance))).rejects.toEqual(refused('key'));
    await expect(signBlinderList({ ...list, sequence: 0 }, alliance)).rejects.toEqual(refused('sequence'));
  });

  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signedAs = async (header: object, payload: string) =>
    new CompactSign(Buffer.from(payload))
      .setProtectedHeader({ alg: 'ES256', ...header })
      .sign(await importJWK(alliance as JWK, 'ES256'));

  it.each<[string, () => Promise<string> | string]>([
    ['unsigned (alg none)', () => `${encode({ alg: 'none', typ: BLINDER_LIST_TYPE })}.${encode(list)}.`],
    ['plain JSON', () => JSON.stringify(list)],
    ['of another key', () => signBlinderList(list, pair())],
    ['of another kind of key', () => signBlinderList(list, pair('ed25519'))],
    ['signed as something else', () => signedAs({ typ: 'at+jwt' }, JSON.stringify(list))],
    ['signed as nothing', () => signedAs({}, JSON.stringify(list))],
    ['signed, but no JSON', () => signedAs({ typ: BLINDER_LIST_TYPE }, '{')],
    ['signed, but no list', () => signedAs({ typ: BLINDER_LIST_TYPE }, '[]')],
    ['signed without a number', () => signedAs({ typ: BLINDER_LIST_TYPE }, JSON.stringify({ ...list, sequence: 0 }))],
    ['empty', () => ''],
  ])('does not open when it is %s', async (_what, text) => {
    await expect(openBlinderList(await text(), publicPart(alliance))).rejects.toEqual(refused());
  });

  it('does not open when a character of it was changed', async () => {
    const text = await signBlinderList(list, alliance);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 2), fc.constantFrom('A', 'x', '.', '-'), async (at, character) => {
        fc.pre(text[at] !== character);
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        await expect(openBlinderList(changed, publicPart(alliance))).rejects.toBeInstanceOf(BongsuError);
      }),
    );
  });
});
