import { hubLimits, readHubConfig } from './hub-config.js';
import { DEFAULT_LIMITS } from './limits/limits.js';

const read = (more: Record<string, string> = {}) =>
  readHubConfig({ DATABASE_URL: 'postgres://127.0.0.1/x', HUB_SIGNING_KEY: '{}', ...more }).config;

describe('the hub’s limits in its environment', () => {
  it('are the defaults unless told otherwise', () => {
    const config = read();
    expect(hubLimits(config)).toEqual(DEFAULT_LIMITS);
    expect(config).toMatchObject({ membersTrustedDocumentsOnly: false, trustedProxies: [] });
  });

  it('can be set', () => {
    const config = read({
      RATE_REQUESTS_PER_MINUTE: '6000',
      RATE_ANONYMOUS_PER_MINUTE: '60',
      TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      MEMBERS_TRUSTED_DOCUMENTS_ONLY: 'true',
    });
    expect(hubLimits(config)).toEqual({ ...DEFAULT_LIMITS, requestsPerMinute: 6000, anonymousPerMinute: 60 });
    expect(config).toMatchObject({ membersTrustedDocumentsOnly: true, trustedProxies: ['10.0.0.0/8', '::1'] });
  });

  it.each([
    ['RATE_REQUESTS_PER_MINUTE', '0'],
    ['RATE_ANONYMOUS_PER_MINUTE', 'many'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,everybody'],
    ['MEMBERS_TRUSTED_DOCUMENTS_ONLY', 'yes'],
  ])('are refused where they make no sense: %s=%s', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', where: name }));
  });
});
