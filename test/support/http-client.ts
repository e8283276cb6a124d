import { createPrivateKey, randomUUID, sign, type JsonWebKey } from 'node:crypto';

/** A caller of the hub that shares no code with the project: RFC 7523 assertions and HTTP by hand. */
export interface HubCaller {
  clientId: string;
  /** Private JWK, JSON. */
  jwk: string;
}

/** An ES256 assertion. `change` overrides claims; `now` in seconds. */
export function assertionOf({ clientId, jwk }: HubCaller, audience: string, now: number, change: object = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: clientId, sub: clientId, aud: audience, iat: now, exp: now + 60, jti: randomUUID(), ...change };
  const input = `${part({ alg: 'ES256' })}.${part(claims)}`;
  const key = createPrivateKey({ key: JSON.parse(jwk) as JsonWebKey, format: 'jwk' });
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

export function askToken(hubUrl: string, assertion: string, change: Record<string, string> = {}): Promise<Response> {
  return fetch(`${hubUrl}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...change,
    }),
  });
}

export async function tokenOf(hubUrl: string, caller: HubCaller, now: number): Promise<string> {
  const response = await askToken(hubUrl, assertionOf(caller, hubUrl, now));
  const body = (await response.json()) as { access_token?: string };
  if (!body.access_token) throw new Error(`no token: ${response.status} ${JSON.stringify(body)}`);
  return body.access_token;
}

export interface GraphqlAnswer {
  status: number;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any answer
  data: any;
  errors: { message: string; extensions: { code: string } }[];
}

export async function graphql(
  hubUrl: string,
  token: string | null,
  query: string,
  variables: object = {},
): Promise<GraphqlAnswer> {
  const response = await fetch(`${hubUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  const { data, errors = [] } = JSON.parse(text) as Partial<GraphqlAnswer>;
  return { status: response.status, text, data, errors };
}

export async function post(
  url: string,
  token: string,
  body: unknown,
): Promise<{ status: number; json: Record<string, never> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as Record<string, never> };
}
