import { randomBytes } from 'node:crypto';
import { EvaluationRequest, Oprf, randomPrivateKey, VOPRFClient, VOPRFServer } from '@cloudflare/voprf-ts';
import { CryptoNoble } from '@cloudflare/voprf-ts/crypto-noble';
import { evaluate } from '@app/blinding';
import type { Bench } from './ratio.js';

const BATCH = 50;
/** Batches in one turn of each side: a turn takes about half a second on either. */
const OUR_BATCHES = 20;
const THEIR_BATCHES = 2;

/** Verifiable oblivious evaluation with its proof, one thread, against another implementation of the same suite. */
export const evaluation: Bench = {
  name: 'verifiable oblivious evaluation, batch of 50 with proof ÷ @cloudflare/voprf-ts',
  unit: 'elements/s',
  goal: 12,
  rounds: 7,
  async open() {
    const suite = Oprf.Suite.RISTRETTO255_SHA512;
    const secretKey = await randomPrivateKey(suite, CryptoNoble);
    const server = new VOPRFServer(suite, secretKey, CryptoNoble);
    const inputs = Array.from({ length: BATCH }, () => Uint8Array.from(randomBytes(24)));
    const [, request] = await new VOPRFClient(suite, new Uint8Array(32), CryptoNoble).blind(inputs);
    const bytes = request.serialize();
    const blinded = request.blinded.map((element) => element.serialize(true));
    return {
      ours: () => {
        for (let i = 0; i < OUR_BATCHES; i++) evaluate(secretKey, blinded);
        return OUR_BATCHES * BATCH;
      },
      theirs: async () => {
        // From bytes, as ours: reading an element from the wire is part of the work.
        for (let i = 0; i < THEIR_BATCHES; i++)
          await server.blindEvaluate(EvaluationRequest.deserialize(suite, bytes, CryptoNoble));
        return THEIR_BATCHES * BATCH;
      },
    };
  },
};
