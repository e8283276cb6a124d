import { GRAPHQL_DOOR, requestedDoor, scopesOf, SSF_DOOR } from './doors.js';

describe('what a token request asks for', () => {
  it.each([
    ['member', undefined, GRAPHQL_DOOR, ['graphql']],
    ['member', '', GRAPHQL_DOOR, ['graphql']],
    ['staff', 'graphql', GRAPHQL_DOOR, ['graphql']],
    ['member', 'graphql graphql', GRAPHQL_DOOR, ['graphql']],
    ['member', 'ssf.read', SSF_DOOR, ['ssf.read']],
    ['member', 'ssf.manage ssf.read', SSF_DOOR, ['ssf.read', 'ssf.manage']],
  ] as const)('%s, %j: one door and its scopes', (kind, asked, door, scopes) => {
    expect(requestedDoor(kind, asked)).toEqual({ door, scopes });
  });

  it.each([
    ['member', 'graphql ssf.read'],
    ['member', 'admin'],
    ['member', 'ssf.read admin'],
    ['member', 'openid'],
    ['staff', 'ssf.read'],
    ['regulator', 'ssf.manage'],
  ] as const)('%s, %j: refused', (kind, asked) => {
    expect(requestedDoor(kind, asked)).toBeNull();
  });

  it('tells what there is to choose from', () => {
    expect(scopesOf('member')).toEqual(['graphql', 'ssf.read', 'ssf.manage']);
    expect(scopesOf('regulator')).toEqual(['graphql']);
  });
});
