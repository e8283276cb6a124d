import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
} from 'node:crypto';

/*
 * A caller of the hub that shares no code with the project: RFC 7523 assertions, RFC 9449 proofs and HTTP by hand, in the
 * system's time, in which hub and callers sign in.
 */

export interface HubCaller {
  clientId: string;
  /** Private JWK, JSON: EC P-256 or Ed25519. It signs assertions, and proofs too. */
  jwk: string;
}

/** The key that each token handed out here is bound to: private JWK, JSON. */
const boundTo = new Map<string, string>();

export const inSeconds = (): number => Math.floor(Date.now() / 1000);

/** A compact JWS by a private JWK (JSON). `header` is added to its `alg`. */
export function signedBy(jwk: string, header: object, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const key = createPrivateKey({ key: JSON.parse(jwk) as JsonWebKey, format: 'jwk' });
  const ec = key.asymmetricKeyType === 'ec';
  const input = `${part({ alg: ec ? 'ES256' : 'EdDSA', ...header })}.${part(claims)}`;
  const signature = sign(ec ? 'sha256' : null, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** An assertion that the caller is who it is. `change` overrides claims; undefined leaves one out. */
export function assertionOf({ clientId, jwk }: HubCaller, audience: string, change: object = {}): string {
  const now = inSeconds();
  const claims = { iss: clientId, sub: clientId, aud: audience, iat: now, exp: now + 60, jti: randomUUID() };
  return signedBy(jwk, {}, { ...claims, ...change });
}

/** A DPoP proof for a request. `change` overrides claims, `header` members of the header. */
export function proofOf(
  jwk: string,
  request: { method: string; url: string; token?: string },
  change: object = {},
  header: object = {},
): string {
  const { method, url, token } = request;
  const publicKey = createPublicKey(createPrivateKey({ key: JSON.parse(jwk) as JsonWebKey, format: 'jwk' }));
  const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
  return signedBy(
    jwk,
    { typ: 'dpop+jwt', jwk: publicKey.export({ format: 'jwk' }), ...header },
    { htm: method, htu: url, iat: inSeconds(), jti: randomUUID(), ...ath, ...change },
  );
}

/**
 * A token request.
 * @param change fields of the form that are added or replaced
 * @param proof the `DPoP` header; by default one of a fresh key, and none for event streams
 */
export function askToken(
  hubUrl: string,
  assertion: string,
  change: Record<string, string> = {},
  proof: string | null = change['scope']?.startsWith('ssf') ? null : freshProof(`${hubUrl}/oauth/token`),
): Promise<Response> {
  return fetch(`${hubUrl}/oauth/token`, {
    method: 'POST',
    headers: proof === null ? {} : { dpop: proof },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...change,
    }),
  });
}

function freshProof(url: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return proofOf(JSON.stringify(privateKey.export({ format: 'jwk' })), { method: 'POST', url });
}

/** An access token for the API, bound to the caller's key; {@link graphql} proves it. */
export async function tokenOf(hubUrl: string, caller: HubCaller): Promise<string> {
  const proof = proofOf(caller.jwk, { method: 'POST', url: `${hubUrl}/oauth/token` });
  const token = await granted(await askToken(hubUrl, assertionOf(caller, hubUrl), {}, proof));
  boundTo.set(token, caller.jwk);
  return token;
}

/** A bearer token for a member's event stream. */
export async function eventsTokenOf(hubUrl: string, caller: HubCaller, scope = 'ssf.read'): Promise<string> {
  return granted(await askToken(hubUrl, assertionOf(caller, hubUrl), { scope }));
}

async function granted(response: Response): Promise<string> {
  const body = (await response.json()) as { access_token?: string };
  if (!body.access_token) throw new Error(`no token: ${response.status} ${JSON.stringify(body)}`);
  return body.access_token;
}

export interface GraphqlAnswer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any answer
  data: any;
  errors: { message: string; extensions: { code: string } }[];
}

/** The headers that a token for the API comes with: the token, and a proof of the key it is bound to. */
export function dpopHeaders(hubUrl: string, token: string, method = 'POST'): Record<string, string> {
  const jwk = boundTo.get(token);
  const authorization = `DPoP ${token}`;
  if (jwk === undefined) return { authorization };
  return { authorization, dpop: proofOf(jwk, { method, url: `${hubUrl}/graphql`, token }) };
}

/**
 * @param token of {@link tokenOf}; null for none
 * @param headers added to those of the token, or in place of them
 */
export async function graphql(
  hubUrl: string,
  token: string | null,
  query: string,
  variables: object = {},
  headers: Record<string, string> = {},
): Promise<GraphqlAnswer> {
  const response = await fetch(`${hubUrl}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : dpopHeaders(hubUrl, token)),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  const { data, errors = [] } = JSON.parse(text) as Partial<GraphqlAnswer>;
  return { status: response.status, headers: response.headers, text, data, errors };
}

/** A request with a bearer token: event streams. */
export async function post(
  url: string,
  token: string,
  body: unknown,
): Promise<{ status: number; headers: Headers; json: Record<string, never> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as Record<string, never>,
  };
}
