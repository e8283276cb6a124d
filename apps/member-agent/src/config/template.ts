import { stringify } from 'yaml';

/** What `init` knows when it writes a configuration. */
export interface TemplateValues {
  member: string;
  hub: string;
  issuer?: string;
  blinders: { url: string; publicKeys: Record<number, string> }[];
  keyFile: string;
  stateDir: string;
  legalBasis: string;
  usage: string[];
  keys: string[];
  gateways: { path: string; preset: string }[];
  network: 'asn' | 'field';
  receive: 'push' | 'poll';
  listen?: string;
  pushAuthorizationFile?: string;
  act: 'dry-run' | 'live';
  expire: 'hold' | 'auto';
  capPerHour: number;
  hookUrl?: string;
  hookCommand?: string;
  hookIdempotent: boolean;
  loopMilliseconds: number;
}

/** A commented configuration file (YAML). */
export function configTemplate(v: TemplateValues): string {
  const q = (value: unknown) => stringify(value, { lineWidth: 0 }).trimEnd();
  const inputs = [
    ...v.keys.map((path) => `  - keys: ${q(path)}`),
    ...v.usage.map((path) => `  - usage: ${q(path)}`),
    ...v.gateways.map(({ path, preset }) => `  - gateway: ${q(path)}\n    preset: ${preset}`),
  ];
  const hook = v.hookUrl
    ? ['hook:', `  url: ${q(v.hookUrl)}`]
    : v.hookCommand
      ? ['hook:', `  command: ${q(['/bin/sh', '-c', v.hookCommand]).replace(/^/gm, '    ').replace(/^ {4}/, '\n    ')}`]
      : ['#hook:', '#  url: http://127.0.0.1:8080/recommendations   # or  command: [/path/to/program, argument]'];
  const mark = hook[0]!.startsWith('#') ? '#' : '';
  return `# The member's agent. Paths are relative to this file. \`doctor\` checks everything below.

# Name under which the alliance registered this exchange.
member: ${v.member}

hub:
  url: ${q(v.hub)}
${v.issuer === undefined ? '  # issuer: https://…   # only where the hub calls itself otherwise than its url' : `  issuer: ${q(v.issuer)}`}

# Who blinds. Public keys by epoch, as the alliance publishes them (compare them by another way than this network):
# no answer made with another key is ever used. Two blinders are asked one after the other.
blinders:
${v.blinders
  .map(
    (b) =>
      `  - url: ${q(b.url)}\n    publicKeys:\n` +
      Object.entries(b.publicKeys)
        .map(([epoch, key]) => `      ${epoch}: ${q(key)}`)
        .join('\n'),
  )
  .join('\n')}

# Private key (JWK) that proves to the hub and the blinders that it is this exchange. Mode 0600.
keyFile: ${q(v.keyFile)}

# Everything the agent must not forget: positions, spool, tokens, journal. Holds raw values: never copy it elsewhere.
stateDir: ${q(v.stateDir)}

# On what basis signals are sent: user_protection_act_surveillance, contract_terms or legitimate_interest.
legalBasis: ${v.legalBasis}

# What \`run\` follows, and \`push\` sends when no file is named. A gateway's log needs a preset (nginx, envoy, kong)
# or \`fields\`; with both, \`fields\` wins. Everything a gateway input knows:
#   - gateway: /var/log/nginx/api.json
#     preset: nginx
#     fields: { accessKey: userIdentity.accessKeyId, network: geo.class }   # dotted paths, or lists of them
#     orders: [POST /v1/orders, "POST */orders"]
#     rejected: { status: [403], reasons: [no_authorization_ip] }   # signed, but from an address not allowed
#     unauthenticatedStatus: [401]                                  # bad signature: says nothing of the key
#     graceSeconds: 300                                             # an hour is sent this long after its end
inputs:${inputs.length === 0 ? ' []' : `\n${inputs.join('\n')}`}

# Who says of which network class (residential, mobile, hosting, vpn) an address is where the inputs do not: asn looks it
# up in a table that comes with the agent, field leaves it unknown. Nothing is asked outside.
network: ${v.network}

# Most that waits on disk for the hub; then reading stops until it has taken some.
spoolMegabytes: 1024

# How recommendations come: the hub pushes to \`listen\` (/events), or the agent polls. \`GET /status\` is on \`listen\` too,
# for this machine only.
receive: ${v.receive}
${v.listen === undefined ? '# listen: 127.0.0.1:8300' : `listen: ${q(v.listen)}`}
${v.pushAuthorizationFile === undefined ? '# pushAuthorizationFile: keys/push-authorization   # what the hub sends in Authorization' : `pushAuthorizationFile: ${q(v.pushAuthorizationFile)}`}

# dry-run only journals recommendations; live calls the hook.
act: ${v.act}
# An expire waits for a person (\`release ID\`) unless this says auto.
expire: ${v.expire}
# Most recommendations acted on in any hour.
capPerHour: ${v.capPerHour}

# The exchange's own hook: gets JSON (POST body or standard input) with the access key, rung, reasons and deadline, and
# answers {"outcome": "executed"} or {"outcome": "declined", "reason": "corporate", "note": "…"}.
# idempotent: true only if a second call with the same idempotency key does nothing.
${hook.join('\n')}
${mark}  timeoutSeconds: 30
${mark}  idempotent: ${v.hookIdempotent}

# Milliseconds between two looks at the inputs.
loopMilliseconds: ${v.loopMilliseconds}
`;
}
