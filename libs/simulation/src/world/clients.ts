import { Random } from './random.js';

/** One program as exchanges fingerprint it: by TLS handshake (JA4) or by normalised User-Agent. */
export interface Program {
  ja4: string;
  ua: string;
}

/** Default clients of popular libraries, most popular first, with the TLS stacks that each meets in the field. */
const LIBRARIES: { agent: string; versions: string[]; stacks: string[] }[] = [
  {
    agent: 'python-requests',
    versions: ['2.31.0', '2.32.3', '2.28.2', '2.25.1', '2.32.4', '2.27.1'],
    stacks: ['openssl3', 'openssl1', 'openssl3-mac'],
  },
  {
    agent: 'Python/3.10 aiohttp',
    versions: ['3.8.5', '3.9.5', '3.10.11', '3.11.18'],
    stacks: ['openssl3', 'openssl1'],
  },
  { agent: 'node', versions: ['18', '20', '22'], stacks: ['node18', 'node20', 'node22'] },
  { agent: 'axios', versions: ['1.6.8', '1.7.9', '0.27.2'], stacks: ['node18', 'node20', 'node22'] },
  { agent: 'Go-http-client', versions: ['1.1', '2.0'], stacks: ['go121', 'go123'] },
  { agent: 'okhttp', versions: ['4.12.0', '4.9.3', '3.14.9'], stacks: ['jdk17', 'jdk11', 'jdk21'] },
  { agent: 'Java-http-client', versions: ['17.0.11', '21.0.3', '11.0.22'], stacks: ['jdk17', 'jdk21', 'jdk11'] },
  { agent: 'python-httpx', versions: ['0.27.0', '0.28.1', '0.24.1'], stacks: ['openssl3'] },
  { agent: 'Apache-HttpClient', versions: ['4.5.14', '5.2.1'], stacks: ['jdk11', 'jdk17'] },
  { agent: 'curl', versions: ['7.81.0', '8.5.0', '8.9.1'], stacks: ['curl-openssl3', 'curl-openssl1'] },
  { agent: 'reqwest', versions: ['0.11.27', '0.12.9'], stacks: ['rustls', 'openssl3'] },
  { agent: 'GuzzleHttp', versions: ['7', '6.5'], stacks: ['curl-openssl3'] },
];

const BOT_WORDS = [
  'trend',
  'grid',
  'arb',
  'volt',
  'tiger',
  'moon',
  'kimchi',
  'delta',
  'swing',
  'range',
  'pulse',
  'river',
  'atlas',
  'nova',
];
const BOT_TAILS = ['bot', 'trader', 'runner', 'engine', 'hand', 'pilot', 'desk', 'flow'];
const HEX = '0123456789abcdef';

/** Draws clients by base rates: popular libraries, bots that many people downloaded, people's own programs. */
export class ClientCatalogue {
  private readonly defaults: { program: Program; weight: number }[] = [];
  private readonly weights: number[];
  private readonly community: Program[];
  private readonly communityWeights: number[];

  constructor(
    private readonly random: Random,
    zipf: number,
  ) {
    LIBRARIES.forEach((library, place) => {
      library.versions.forEach((version, age) => {
        library.stacks.forEach((stack, rank) => {
          const weight = (place + 1) ** -zipf * (age + 1) ** -zipf * (rank + 1) ** -1.2;
          this.defaults.push({ program: { ja4: ja4Of(stack), ua: `${library.agent}/${version}` }, weight });
        });
      });
    });
    this.weights = this.defaults.map(({ weight }) => weight);
    this.community = Array.from({ length: 26 }, () => this.own());
    this.communityWeights = this.community.map((_, place) => (place + 1) ** -zipf);
  }

  /** A default library client. */
  library(): Program {
    return this.defaults[this.random.weighted(this.weights)]!.program;
  }

  /** A bot that many people downloaded. */
  downloaded(): Program {
    return this.community[this.random.weighted(this.communityWeights)]!;
  }

  /** A program of one's own: its own User-Agent, mostly on a stock TLS stack. */
  own(): Program {
    const { random } = this;
    const name = `${random.pick(BOT_WORDS)}${random.pick(BOT_TAILS)}${random.chance(0.5) ? random.whole(1, 99) : ''}`;
    const stack = random.chance(0.65) ? random.pick(random.pick(LIBRARIES).stacks) : random.text(12, HEX);
    return { ja4: ja4Of(stack), ua: `${name}/${random.whole(0, 4)}.${random.whole(0, 12)}.${random.whole(0, 9)}` };
  }

  /** What a person runs, by the weights of default library, community bot, own program. */
  person(weights: readonly number[]): Program {
    return [() => this.library(), () => this.downloaded(), () => this.own()][this.random.weighted(weights)]!();
  }
}

/** The JA4 fingerprint of a TLS stack, made up but well formed: `t13d1516h2_<12 hex>_<12 hex>`. */
function ja4Of(stack: string): string {
  const random = new Random('ja4', stack);
  const two = (from: number, to: number) => String(random.whole(from, to)).padStart(2, '0');
  return `t13d${two(12, 52)}${two(8, 18)}${random.pick(['h1', 'h2', '00'])}_${random.text(12, HEX)}_${random.text(12, HEX)}`;
}
