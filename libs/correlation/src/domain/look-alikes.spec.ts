import { rungRank, type DetectorCode, type RungOrNone } from '@app/protocol';
import { ordinaryClients, Scenario, windowsOf } from './testing/scenario.js';

/**
 * The people who must be told apart (docs/detection.md), one scenario each: what is built, whose key is looked at, on
 * which day, which detectors must speak and which must not, and between which rungs it must end.
 */
interface Case {
  name: string;
  build: (s: Scenario) => void;
  key: string;
  day: number;
  speaks?: DetectorCode[];
  silent?: DetectorCode[];
  atLeast?: RungOrNone;
  atMost?: RungOrNone;
}

const EXCHANGES = [1, 2, 3, 4, 5];
const LIBRARIES = ['requests', 'aiohttp', 'axios', 'okhttp'];

/** `count` owners on an operator's machine from `start`, each with a home of their own before. */
function operator(
  s: Scenario,
  count: number,
  options: { client?: string; exchanges?: number; ip?: string } = {},
): void {
  const { client = 'their engine', exchanges = 2, ip = 'machine' } = options;
  for (let i = 0; i < count; i++)
    for (let e = 0; e < exchanges; e++) {
      const key = s.key(`customer ${i} at ${e}`, `customer ${i}`, EXCHANGES[(i + e) % 5]);
      s.use(key, { ip: `home ${i}`, client: LIBRARIES[i % 4]!, days: [0, 7], network: 'residential' });
      s.use(key, { ip, client, days: [8, 20] });
    }
}

function inLockstep(s: Scenario, keys: readonly string[], days: readonly [number, number]): void {
  for (let day = days[0]; day <= days[1]; day++)
    for (const key of keys) s.bursts(key, day, windowsOf(`the operator's day ${day}`, 6));
}

const CASES: Case[] = [
  {
    name: 'a person with a bot at home whose address changes and is registered late',
    build: (s) => {
      s.key('k', 'person');
      s.use('k', { ip: 'old', client: 'requests', days: [0, 9], network: 'residential' });
      s.use('k', {
        ip: 'new',
        client: 'requests',
        days: [10, 10],
        network: 'residential',
        rejected: 500,
        registered: false,
      });
      s.use('k', { ip: 'new', client: 'requests', days: [11, 20], network: 'residential' });
    },
    key: 'k',
    day: 20,
    silent: ['N1', 'N2', 'N3', 'N4', 'K1', 'K2', 'C1', 'S1'],
    atMost: 'none',
  },
  {
    name: 'a person with several servers used at once from the first day',
    build: (s) => {
      s.key('k', 'person');
      for (let day = 0; day <= 20; day++) s.concurrent('k', day, 40);
      for (const i of [0, 1, 2]) s.use('k', { ip: `server ${i}`, client: `tool ${i % 2}`, days: [0, 20] });
    },
    key: 'k',
    day: 20,
    silent: ['N2', 'K2', 'K3'],
    atMost: 'none',
  },
  {
    name: 'a person who moves to a new server with new software',
    build: (s) => {
      s.key('k', 'person');
      s.use('k', { ip: 'old server', client: 'requests', days: [0, 9] });
      s.use('k', { ip: 'new server', client: 'own program 3', days: [10, 20] });
    },
    key: 'k',
    day: 20,
    speaks: ['K2'],
    atMost: 'none',
  },
  {
    name: 'users of one carrier address with clients as common as anywhere',
    build: (s) => {
      for (let i = 0; i < 40; i++) {
        const key = s.key(`user ${i}`, `user ${i}`, EXCHANGES[i % 5]);
        s.use(key, { ip: 'carrier', client: LIBRARIES[i % 4]!, days: [0, 20], network: 'mobile' });
      }
    },
    key: 'user 7',
    day: 20,
    silent: ['N3', 'N4'],
    atMost: 'none',
  },
  {
    name: 'a carrier pool that gives its users new addresses every few days',
    build: (s) => {
      for (let i = 0; i < 40; i++) {
        const key = s.key(`user ${i}`, `user ${i}`, EXCHANGES[i % 5]);
        for (let day = 0; day <= 20; day++)
          s.use(key, {
            ip: `pool ${(i * 7 + Math.floor(day / 2) * (1 + (i % 5))) % 6}`,
            client: LIBRARIES[(i * 3) % 4]!,
            days: [day, day],
            network: 'mobile',
          });
      }
    },
    key: 'user 12',
    day: 20,
    silent: ['N3', 'N4'],
    atMost: 'none',
  },
  {
    name: 'colleagues in an office',
    build: (s) => {
      for (let i = 0; i < 8; i++) {
        const key = s.key(`colleague ${i}`, `colleague ${i}`, EXCHANGES[i % 3]);
        const client = i < 5 ? LIBRARIES[i % 4]! : `own program ${i}`;
        s.use(key, { ip: 'office', client, days: [0, 20], network: 'residential', hours: 0x0003ff });
      }
    },
    key: 'colleague 4',
    day: 20,
    silent: ['N2', 'N4'],
    atMost: 'none',
  },
  {
    name: 'unrelated bots behind a cloud NAT, most with the default library client',
    build: (s) => {
      s.elsewhere('requests', 'hosting', 200);
      for (let i = 0; i < 25; i++) {
        const key = s.key(`bot ${i}`, `bot ${i}`, EXCHANGES[i % 5]);
        const client = i % 5 < 3 ? 'requests' : i % 5 === 3 ? 'axios' : `own program ${i}`;
        s.use(key, { ip: 'nat', client, days: [0, 20] });
      }
    },
    key: 'bot 10',
    day: 20,
    silent: ['N4'],
    atMost: 'none',
  },
  {
    name: 'customers of a VPN exit that is on a warning list',
    build: (s) => {
      for (let i = 0; i < 12; i++) {
        const key = s.key(`customer ${i}`, `customer ${i}`, EXCHANGES[i % 5]);
        s.use(key, { ip: 'exit', client: 'requests', days: [0, 20], network: 'vpn', lists: 1 });
      }
    },
    key: 'customer 3',
    day: 20,
    silent: ['N1', 'N2', 'N3', 'N4'],
    atMost: 'none',
  },
  {
    name: 'a registered portfolio tracker with read-only keys',
    build: (s) => {
      for (let i = 0; i < 30; i++) {
        const key = s.key(`user ${i}`, `user ${i}`, EXCHANGES[i % 5], {
          accountType: 'aggregator',
          permissions: ['read'],
        });
        s.use(key, { ip: 'tracker', client: 'tracker', days: [0, 20] });
      }
    },
    key: 'user 3',
    day: 20,
    atMost: 'none',
  },
  {
    name: 'an unregistered tracker with read-only keys',
    build: (s) => {
      for (let i = 0; i < 30; i++)
        for (const exchange of [1, 2]) {
          const key = s.key(`user ${i} at ${exchange}`, `user ${i}`, exchange, { permissions: ['read'] });
          s.use(key, { ip: 'tracker', client: 'tracker', days: [0, 20] });
        }
    },
    key: 'user 3 at 1',
    day: 20,
    atMost: 'none',
  },
  {
    name: 'two legal persons of one market maker on one set of machines',
    build: (s) => {
      for (const company of ['a', 'b'])
        for (const exchange of EXCHANGES) {
          const key = s.key(`${company} at ${exchange}`, company, exchange, { accountType: 'market_maker' });
          for (const machine of [1, 2, 3]) s.use(key, { ip: `machine ${machine}`, client: 'engine', days: [0, 20] });
        }
    },
    key: 'a at 1',
    day: 20,
    atMost: 'none',
  },
  {
    name: 'a household that set up its bots alike and changed its address twice',
    build: (s) => {
      for (const person of ['a', 'b'])
        for (const exchange of [1, 2]) {
          const key = s.key(`${person} at ${exchange}`, person, exchange);
          for (const [place, days] of [
            [0, [0, 7]],
            [1, [8, 14]],
            [2, [15, 20]],
          ] as const)
            s.use(key, { ip: `home ${place}`, client: 'requests', days, network: 'residential' });
        }
    },
    key: 'a at 1',
    day: 20,
    atMost: 'monitor',
  },
  {
    name: "followers of one signal on their own servers with the leader's bot code",
    build: (s) => {
      const keys = [1, 2, 3, 4, 5, 6].map((i) => s.key(`follower ${i}`, `follower ${i}`, EXCHANGES[i % 5]));
      keys.forEach((key, i) => s.use(key, { ip: `server ${i}`, client: 'leader bot', days: [0, 20] }));
      inLockstep(s, keys, [0, 20]);
    },
    key: 'follower 2',
    day: 20,
    speaks: ['S1', 'C1'],
    silent: ['N1', 'N2', 'N3', 'N4'],
    atLeast: 'monitor',
    atMost: 'monitor',
  },
  {
    name: 'an operator of twenty customers with a program of its own, not in lockstep',
    build: (s) => operator(s, 20),
    key: 'customer 4 at 0',
    day: 20,
    speaks: ['N1', 'N2', 'N4', 'K2'],
    silent: ['S1', 'C1'],
    atLeast: 'reverify',
  },
  {
    name: 'the same operator, three days after it took a key over',
    build: (s) => operator(s, 20),
    key: 'customer 4 at 0',
    day: 10,
    speaks: ['N2', 'N4'],
    atLeast: 'warn',
  },
  {
    name: 'an operator in lockstep',
    build: (s) => {
      operator(s, 12);
      inLockstep(
        s,
        Array.from({ length: 12 }, (_, i) => `customer ${i} at 0`),
        [8, 20],
      );
    },
    key: 'customer 4 at 0',
    day: 20,
    speaks: ['N2', 'S1'],
    atLeast: 'expire',
  },
  {
    name: 'an operator who shuffles its clients to pass for a NAT, in lockstep',
    build: (s) => {
      for (let i = 0; i < 12; i++) {
        const key = s.key(`customer ${i}`, `customer ${i}`, EXCHANGES[i % 5]);
        for (let day = 0; day <= 20; day++)
          s.use(key, { ip: 'machine', client: LIBRARIES[(i + day) % 4]!, days: [day, day], registered: day === 0 });
      }
      inLockstep(
        s,
        Array.from({ length: 12 }, (_, i) => `customer ${i}`),
        [0, 20],
      );
    },
    key: 'customer 4',
    day: 20,
    speaks: ['N2', 'S1'],
    atLeast: 'reverify',
  },
  {
    name: 'an operator who changes its address every week',
    build: (s) => {
      for (let i = 0; i < 10; i++) {
        const key = s.key(`customer ${i}`, `customer ${i}`, EXCHANGES[i % 5]);
        for (const week of [0, 1, 2])
          s.use(key, { ip: `week ${week}`, client: 'their engine', days: [week * 7, week * 7 + 6] });
      }
    },
    key: 'customer 4',
    day: 20,
    speaks: ['N2', 'N3'],
    atLeast: 'monitor',
  },
  {
    name: 'an operator hidden behind a carrier address with two hundred innocent users',
    build: (s) => {
      for (let i = 0; i < 200; i++) {
        const key = s.key(`user ${i}`, `user ${i}`, EXCHANGES[i % 5]);
        s.use(key, { ip: 'carrier', client: LIBRARIES[i % 4]!, days: [0, 20], network: 'mobile' });
      }
      for (let i = 0; i < 12; i++) {
        const key = s.key(`customer ${i}`, `customer ${i}`, EXCHANGES[i % 5]);
        s.use(key, { ip: 'carrier', client: 'their engine', days: [0, 20], network: 'mobile' });
      }
    },
    key: 'customer 4',
    day: 20,
    speaks: ['N2'],
    atLeast: 'monitor',
  },
  {
    name: 'a key lent to one friend, refused first, with a hand-over',
    build: (s) => {
      const friend = s.key('friend', 'friend', 2);
      s.use(friend, { ip: 'friend', client: 'own program 9', days: [0, 20] });
      const key = s.key('k', 'lender', 1);
      s.use(key, { ip: 'home', client: 'requests', days: [0, 9], network: 'residential' });
      s.use(key, { ip: 'friend', client: 'own program 9', days: [10, 10], rejected: 500, registered: false });
      s.use(key, { ip: 'friend', client: 'own program 9', days: [11, 20] });
    },
    key: 'k',
    day: 20,
    speaks: ['N2', 'K2', 'K3'],
    atLeast: 'monitor',
    atMost: 'reverify',
  },
  {
    name: "the friend's own key, on the machine it always used",
    build: (s) => {
      const friend = s.key('friend', 'friend', 2);
      s.use(friend, { ip: 'friend', client: 'own program 9', days: [0, 20] });
      const key = s.key('k', 'lender', 1);
      s.use(key, { ip: 'home', client: 'requests', days: [0, 9], network: 'residential' });
      s.use(key, { ip: 'friend', client: 'own program 9', days: [10, 20] });
    },
    key: 'friend',
    day: 20,
    silent: ['K1', 'K2', 'K3'],
    atMost: 'none',
  },
  {
    name: 'a lent key that its lender goes on using',
    build: (s) => {
      const friend = s.key('friend', 'friend', 2);
      s.use(friend, { ip: 'friend', client: 'own program 9', days: [0, 20] });
      const key = s.key('k', 'lender', 1);
      s.use(key, { ip: 'home', client: 'requests', days: [0, 20], network: 'residential' });
      s.use(key, { ip: 'friend', client: 'own program 9', days: [10, 20] });
      for (let day = 10; day <= 20; day++) s.concurrent('k', day, 60);
    },
    key: 'k',
    day: 20,
    speaks: ['N2', 'K1'],
    silent: ['K2'],
    atLeast: 'monitor',
  },
];

describe('look-alikes and lenders', () => {
  it.each(CASES)('$name', ({ build, key, day, speaks = [], silent = [], atLeast = 'none', atMost = 'expire' }) => {
    const scenario = ordinaryClients(new Scenario());
    build(scenario);
    const assessment = scenario.assess(key, day);
    const codes = assessment.findings.map((finding) => finding.code);
    expect(codes).toEqual(expect.arrayContaining(speaks));
    expect(codes.filter((code) => silent.includes(code))).toEqual([]);
    const seen = { rung: assessment.rung, nats: assessment.families, codes, p: assessment.probability };
    expect([seen, rungRank(assessment.rung) >= rungRank(atLeast)]).toEqual([seen, true]);
    expect([seen, rungRank(assessment.rung) <= rungRank(atMost)]).toEqual([seen, true]);
  });
});
