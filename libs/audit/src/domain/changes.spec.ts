import { changes, type State } from './changes.js';

describe('before and after', () => {
  it.each<[string, State, State, object]>([
    ['what came to be', null, { state: 'active' }, { before: null, after: { state: 'active' } }],
    ['what went', { state: 'active' }, undefined, { before: { state: 'active' }, after: null }],
    [
      'only fields that changed',
      { state: 'active', roles: ['a'], key: { x: 1, y: 2 } },
      { state: 'suspended', roles: ['a'], key: { y: 2, x: 1 } },
      { before: { state: 'active' }, after: { state: 'suspended' } },
    ],
    ['a field that is new', { a: 1 }, { a: 1, b: 2 }, { before: {}, after: { b: 2 } }],
    ['nothing, where nothing changed', { a: 1 }, { a: 1 }, { before: {}, after: {} }],
    ['neither, where neither is given', undefined, undefined, { before: null, after: null }],
    ['no secret', null, { authorization: 'Bearer x' }, { before: null, after: { authorization: '[redacted]' } }],
  ])('tell %s', (_what, before, after, expected) => {
    expect(changes(before, after)).toEqual(expected);
  });
});
