import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { isReachableAddress } from '@app/protocol';

/** All addresses of a name, as the system resolves it. */
export type ResolveAll = (host: string) => Promise<LookupAddress[]>;

/** A name that leads to an address which nothing is sent to. */
export class ForbiddenAddress extends Error {
  readonly code = 'FORBIDDEN_ADDRESS';
}

type Callback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

const resolveBySystem: ResolveAll = (host) => systemLookup(host, { all: true });

/**
 * A `lookup` for sockets that answers only where every address of the name may be connected to: the socket then goes to
 * one of exactly these, so that a name cannot be public when it is checked and private when it is called. One bad
 * address refuses the name, since its owner, not chance, would decide which is taken.
 */
export function checkedLookup(allowPrivate: readonly string[], resolve: ResolveAll = resolveBySystem) {
  // The system's resolver holds a thread of few: a name that does not answer must not hold more than one.
  const underWay = new Map<string, Promise<LookupAddress[]>>();
  const once = (host: string) => {
    const running = underWay.get(host) ?? resolve(host).finally(() => underWay.delete(host));
    underWay.set(host, running);
    return running;
  };
  return (host: string, options: LookupOptions, callback: Callback): void => {
    once(host).then(
      (addresses) => {
        const [first] = addresses;
        if (!first) return callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
        if (!addresses.every(({ address }) => isReachableAddress(address, allowPrivate)))
          return callback(new ForbiddenAddress('the name leads to an address that nothing is sent to'), '');
        if (options.all) return callback(null, addresses);
        callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, ''),
    );
  };
}
