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

  it('passes on no secret that the child does not need, in neither form', () => {
    const ours = {
      LOG_LEVEL: 'info',
      DATABASE_URL: 'postgres://x',
      MIGRATION_DATABASE_URL_FILE: '/m',
      REDIS_URL: 'redis://x',
      HUB_SIGNING_KEY: '{}',
      BLINDER_KEY_FILE: '/b',
      PERSON_KEY_FILE: '/p',
    };
    expect(envWith(ours, {})).toEqual({ LOG_LEVEL: 'info' });
    expect(envWith(ours, { DATABASE_URL: 'postgres://y' }, ['REDIS_URL'])).toEqual({
      LOG_LEVEL: 'info',
      DATABASE_URL: 'postgres://y',
      REDIS_URL: 'redis://x',
    });
  });
});
