import { envWith } from './env.js';

describe('envWith', () => {
  it('sets a variable in place of the file that named it', () => {
    expect(envWith({ DATABASE_URL_FILE: '/run/url', HOME: '/root' }, { DATABASE_URL: 'postgres://x' })).toEqual({
      DATABASE_URL: 'postgres://x',
      HOME: '/root',
    });
  });

  it('sets a file in place of the variable that held its content', () => {
    expect(envWith({ HUB_SIGNING_KEY: '{}' }, { HUB_SIGNING_KEY_FILE: '/run/key' })).toEqual({
      HUB_SIGNING_KEY_FILE: '/run/key',
    });
  });

  it('leaves the rest as it is', () => {
    expect(envWith({ REDIS_URL: 'redis://x', A_FILE: 'a' }, {})).toEqual({ REDIS_URL: 'redis://x', A_FILE: 'a' });
  });
});
