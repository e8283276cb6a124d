import { POPULATION_MEMBERS, type Network } from '@app/protocol';
import { Random } from './random.js';

/** An address as the exchanges see it. */
export interface Address {
  ip: string;
  /** Network class per member, in the order of POPULATION_MEMBERS: their databases differ and err. */
  seen: readonly Network[];
  /** Warning lists that carry it, where any does. */
  lists?: string[];
  /** Provider whose outages it shares. */
  provider: number;
}

/** What an address really is. */
export type AddressClass = Exclude<Network, 'unknown'>;

const PROVIDERS: Record<AddressClass, number> = { residential: 18, mobile: 6, hosting: 16, vpn: 8 };
/** First octets of private, shared, test and documentation ranges: whole, since there is room to spare. */
const NOT_PUBLIC = new Set([10, 100, 127, 169, 172, 192, 198, 203]);
/** /24 networks a provider sells from, so that strangers do share a /24 now and then. */
const SUBNETS = 160;

interface Provider {
  id: number;
  first: number;
  second: number;
  v6: string;
  subnets: number[];
}

/**
 * Hands out public-looking addresses. Every class draws hosts and networks alike, so no octet says to which segment an
 * address belongs; given-up addresses come back to strangers now and then, as they do in life.
 */
export class AddressBook {
  private readonly providers: Record<AddressClass, Provider[]>;
  private readonly used = new Set<string>();
  private readonly released: Record<AddressClass, Address[]> = { residential: [], mobile: [], hosting: [], vpn: [] };

  constructor(
    private readonly random: Random,
    private readonly recycledShare: number,
    private readonly ipv6Share: number,
  ) {
    const taken = new Set<number>();
    let id = 0;
    const make = (): Provider => {
      let first: number;
      let second: number;
      do {
        first = random.whole(1, 223);
        second = random.whole(0, 255);
      } while (NOT_PUBLIC.has(first) || taken.has(first * 256 + second));
      taken.add(first * 256 + second);
      const v6 = `2${random.pick(['400', '404', '406', '001', 'a02', 'a05'])}:${random.whole(0x1000, 0xffff).toString(16)}`;
      const subnets = random.shuffled(Array.from({ length: 256 }, (_, i) => i)).slice(0, SUBNETS);
      return { id: id++, first, second, v6, subnets };
    };
    const list = (kind: AddressClass) => Array.from({ length: PROVIDERS[kind] }, make);
    this.providers = {
      residential: list('residential'),
      mobile: list('mobile'),
      hosting: list('hosting'),
      vpn: list('vpn'),
    };
  }

  /** Number of providers of all classes: outage groups 0 to this minus one. */
  static readonly providerCount = Object.values(PROVIDERS).reduce((sum, n) => sum + n, 0);

  /**
   * @param near an address in whose provider (and, half the time, /24) the new one shall lie
   * @returns an address of this class that nobody holds, though somebody may have held it before
   */
  take(kind: AddressClass, options: { near?: Address; fresh?: boolean } = {}): Address {
    const released = this.released[kind];
    if (!options.fresh && released.length > 20 && this.random.chance(this.recycledShare)) {
      const index = Math.floor(this.random.next() * released.length);
      return released.splice(index, 1)[0] as Address;
    }
    const providers = this.providers[kind];
    const provider =
      (options.near && providers.find((candidate) => candidate.id === options.near?.provider)) ??
      (providers[Math.floor(providers.length * this.random.next() ** 1.6)] as Provider);
    const subnet =
      options.near && !options.near.ip.includes(':') && this.random.chance(0.5)
        ? Number(options.near.ip.split('.')[2])
        : undefined;
    const ip = this.unused(provider, subnet);
    return { ip, seen: this.seenAs(kind), provider: provider.id };
  }

  /** Several neighbours: what one customer rents together. */
  takeBlock(kind: AddressClass, count: number): Address[] {
    const first = this.take(kind, { fresh: true });
    return [first, ...Array.from({ length: count - 1 }, () => this.take(kind, { near: first, fresh: true }))];
  }

  /** Gives an address up, to whoever comes next. */
  release(kind: AddressClass, address: Address): void {
    this.released[kind].push(address);
  }

  /** Puts a shared address on a warning list, as far as the lists know it. */
  list(address: Address, name: string, known: number): Address {
    if (this.random.chance(known)) address.lists = [name];
    return address;
  }

  private unused(provider: Provider, subnet: number | undefined): string {
    for (;;) {
      const ip =
        subnet === undefined && this.random.chance(this.ipv6Share)
          ? `${provider.v6}:${this.random.whole(1, 0xffff).toString(16)}:${this.random.whole(1, 0xff).toString(16)}::${this.random.whole(1, 0xffff).toString(16)}`
          : `${provider.first}.${provider.second}.${subnet ?? this.random.pick(provider.subnets)}.${this.random.whole(1, 254)}`;
      if (!this.used.has(ip)) {
        this.used.add(ip);
        return ip;
      }
    }
  }

  private seenAs(kind: AddressClass): Network[] {
    // One vendor serves several exchanges, so most errors are shared; some are a member's own.
    const shared = this.misread(kind);
    return POPULATION_MEMBERS.map(() => (this.random.chance(0.03) ? this.misread(kind) : shared));
  }

  private misread(kind: AddressClass): Network {
    const roll = this.random.next();
    if (roll < 0.04) return 'unknown';
    if (kind === 'vpn' && roll < 0.34) return 'hosting';
    if (kind === 'mobile' && roll < 0.1) return 'residential';
    if (kind === 'residential' && roll < 0.05) return 'mobile';
    return kind;
  }
}
