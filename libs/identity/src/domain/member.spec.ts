import { generateKeyPairSync } from 'node:crypto';
import { markedForDevelopment } from '@app/protocol';
import { checkNewMember, type NewMember } from './member.js';

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const push = (endpointUrl: string, authorization = 'Bearer abc'): NewMember => ({
  name: 'upbit',
  jwk,
  delivery: { method: 'push', endpointUrl, authorization },
});
const poll = (change: Partial<NewMember> = {}): NewMember => ({
  name: 'upbit',
  jwk,
  delivery: { method: 'poll' },
  ...change,
});

describe('a new member', () => {
  it('that polls has no endpoint', () => {
    expect(checkNewMember(poll(), true)).toEqual({
      name: 'upbit',
      jwk,
      deliveryMethod: 'poll',
      endpointUrl: null,
      contacts: [],
      authorization: null,
    });
    const both = poll({ delivery: { method: 'poll', endpointUrl: 'https://a.example' } });
    expect(() => checkNewMember(both, true)).toThrow(expect.objectContaining({ where: 'delivery.endpointUrl' }));
  });

  it.each<[string, boolean, boolean]>([
    ['https://events.upbit.example/in?x=1', true, true],
    ['https://events.upbit.example/in', false, true],
    ['http://127.0.0.1:4000/events', false, true],
    ['http://[::1]:4000/events', false, true],
    ['http://localhost:4000/events', false, true],
    ['http://127.0.0.1:4000/events', true, false],
    ['https://localhost/events', true, false],
    ['https://10.1.2.3/events', true, false],
    ['https://169.254.169.254/latest', false, false],
    ['https://[fd00::1]/events', true, false],
    ['https://10.20.1.1/events', true, true],
    ['http://events.upbit.example/in', false, false],
    ['http://127.0.0.1.evil.example/', false, false],
    ['http://localhost.evil.example/', false, false],
    ['https://user:pass@events.upbit.example/', false, false],
    ['https://events.upbit.example/#top', false, false],
    ['ftp://events.upbit.example/', false, false],
    ['file:///etc/passwd', false, false],
    ['events.upbit.example', false, false],
    ['', false, false],
    [`https://a.example/${'a'.repeat(2000)}`, false, false],
  ])('is pushed to %s (production: %s): %s', (url, production, fine) => {
    const check = () => checkNewMember(push(url), production, ['10.20.0.0/16']);
    if (fine) expect(check().endpointUrl).toBe(url);
    else expect(check).toThrow(expect.objectContaining({ code: 'BAD_INPUT', where: 'delivery.endpointUrl' }));
  });

  it.each(['', ' x', 'Bearer a\r\nX-Evil: 1', 'Bearer 가', 'a'.repeat(4097)])(
    'needs a header value, not %j',
    (value) => {
      const check = () => checkNewMember(push('https://a.example/', value), true);
      expect(check).toThrow(expect.objectContaining({ code: 'BAD_INPUT', where: 'delivery.authorization' }));
      if (value.trim()) expect(check).not.toThrow(new RegExp(value.slice(0, 20).replace(/[\r\n]/g, '.')));
    },
  );

  it('brings a key of its own into production, not one made for development', () => {
    const marked = poll({ jwk: markedForDevelopment(jwk) });
    expect(checkNewMember(marked, false).jwk).toEqual(jwk);
    expect(() => checkNewMember(marked, true)).toThrow(
      expect.objectContaining({
        code: 'BAD_INPUT',
        where: 'jwk',
        message: expect.stringMatching(/made for development/),
      }),
    );
  });

  it.each(['', 'u', 'Upbit', '1up', 'up_bit', 'up:bit', 'a'.repeat(32), 'upbit\n'])('cannot be called %j', (name) => {
    expect(() => checkNewMember(poll({ name }), true)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', where: 'name' }),
    );
  });

  it('has contacts that can be written to', () => {
    const contacts = [{ name: ' Duty desk ', email: 'desk@upbit.example' }];
    expect(checkNewMember(poll({ contacts }), true).contacts).toEqual([
      { name: 'Duty desk', email: 'desk@upbit.example' },
    ]);
    const wrong = (contact: { name: string; email: string }) => () =>
      checkNewMember(poll({ contacts: [contact] }), true);
    expect(wrong({ name: '', email: 'a@b' })).toThrow(expect.objectContaining({ where: 'contacts.0.name' }));
    expect(wrong({ name: 'a', email: 'a b@c' })).toThrow(expect.objectContaining({ where: 'contacts.0.email' }));
    const many = Array.from({ length: 21 }, () => ({ name: 'a', email: 'a@b' }));
    expect(() => checkNewMember(poll({ contacts: many }), true)).toThrow(
      expect.objectContaining({ where: 'contacts' }),
    );
  });
});
