import fc from 'fast-check';
import sodium from 'libsodium-wrappers-sumo';
import {
  blind,
  BlindingError,
  checkEvaluation,
  deriveKeyPair,
  evaluate,
  evaluateDirectly,
  finalize,
  finalizeChain,
  MAX_INPUT_BYTES,
  publicKey,
} from './index.js';

fc.configureGlobal({ seed: 9497 });

const alice = deriveKeyPair(new Uint8Array(32).fill(1), Buffer.from('alice'));
const bob = deriveKeyPair(new Uint8Array(32).fill(1), Buffer.from('bob'));

const bytes = fc.uint8Array({ maxLength: 64 });
const batches = fc.array(bytes, { minLength: 1, maxLength: 4 });
const scalars = fc
  .uint8Array({ minLength: 64, maxLength: 64 })
  .map((wide) => sodium.crypto_core_ristretto255_scalar_reduce(wide))
  .filter((scalar) => !sodium.is_zero(scalar));

/** RFC 9496, appendix A.3: encodings that must be rejected. */
const BAD_ENCODINGS = [
  // Not a canonical field element.
  '00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // Negative field elements.
  '0100000000000000000000000000000000000000000000000000000000000000',
  '01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20',
  // Non-square x^2.
  '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371',
  // Negative xy value.
  '3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e',
  // s = -1, which causes y = 0.
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // The identity: RFC 9497 refuses it.
  '0000000000000000000000000000000000000000000000000000000000000000',
  // Lengths.
  '',
  '76'.repeat(31),
  '00'.repeat(33),
];

/** The group's order, little-endian: the smallest integer that is no scalar. */
const ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof BlindingError) return error.code;
    throw error;
  }
  return 'none';
}

describe('the oblivious PRF', () => {
  it('gives the client what the key holder would compute, whatever the blinds', () => {
    fc.assert(
      fc.property(batches, (inputs) => {
        const { state, blinded } = blind(inputs);
        const { evaluated, proof } = evaluate(alice.secretKey, blinded);
        const direct = inputs.map((input) => evaluateDirectly(alice.secretKey, input));
        expect(finalize(state, evaluated, proof, alice.publicKey)).toEqual(direct);
      }),
      { numRuns: 25 },
    );
  });

  it('shows the evaluator another element each time the same input is blinded', () => {
    const input = Buffer.from('203.0.113.7');
    const seen = new Set(Array.from({ length: 50 }, () => Buffer.from(blind([input]).blinded[0]!).toString('hex')));
    expect(seen.size).toBe(50);
  });

  it('gives different outputs under different keys', () => {
    fc.assert(
      fc.property(bytes, scalars, scalars, (input, one, other) => {
        fc.pre(!Buffer.from(one).equals(other));
        expect(evaluateDirectly(one, input)).not.toEqual(evaluateDirectly(other, input));
      }),
      { numRuns: 20 },
    );
  });

  it('takes inputs up to the longest and refuses longer ones, empty batches and stray blinds', () => {
    expect(codeOf(() => blind([new Uint8Array(MAX_INPUT_BYTES)]))).toBe('none');
    expect(codeOf(() => blind([new Uint8Array(MAX_INPUT_BYTES + 1)]))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => blind([]))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => blind([Buffer.from('a')], []))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => evaluate(alice.secretKey, []))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => deriveKeyPair(new Uint8Array(31), new Uint8Array()))).toBe('BAD_ARGUMENT');
  });
});

describe('a chain of evaluators', () => {
  it('gives the output of the product of their keys, in either order', () => {
    const product = sodium.crypto_core_ristretto255_scalar_mul(alice.secretKey, bob.secretKey);
    for (const [first, second] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const input = Buffer.from('198.51.100.9');
      const { state, blinded } = blind([input]);
      const one = { ...evaluate(first.secretKey, blinded), publicKey: first.publicKey };
      const two = { ...evaluate(second.secretKey, one.evaluated), publicKey: second.publicKey };
      expect(finalizeChain(state, [one, two])).toEqual([evaluateDirectly(product, input)]);
    }
  });

  it('refuses when either link used another key, and when none answered', () => {
    const { state, blinded } = blind([Buffer.from('198.51.100.9')]);
    const one = { ...evaluate(alice.secretKey, blinded), publicKey: alice.publicKey };
    const two = { ...evaluate(bob.secretKey, one.evaluated), publicKey: bob.publicKey };
    expect(codeOf(() => finalizeChain(state, [{ ...one, publicKey: bob.publicKey }, two]))).toBe('BAD_PROOF');
    expect(codeOf(() => finalizeChain(state, [one, { ...two, publicKey: alice.publicKey }]))).toBe('BAD_PROOF');
    expect(codeOf(() => finalizeChain(state, []))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => checkEvaluation(blinded, one))).toBe('none');
  });
});

describe('the client refuses', () => {
  const inputs = [Buffer.from('a'), Buffer.from('b')];
  const { state, blinded } = blind(inputs);
  const answer = evaluate(alice.secretKey, blinded);
  const attempt = (change: { evaluated?: Uint8Array[]; proof?: Uint8Array; key?: Uint8Array }) =>
    codeOf(() =>
      finalize(
        state,
        change.evaluated ?? answer.evaluated,
        change.proof ?? answer.proof,
        change.key ?? alice.publicKey,
      ),
    );

  it('nothing of an honest answer', () => expect(attempt({})).toBe('none'));

  it('an evaluation with another key, proven for that key', () => {
    const other = evaluate(bob.secretKey, blinded);
    expect(attempt(other)).toBe('BAD_PROOF');
    expect(attempt({ key: bob.publicKey })).toBe('BAD_PROOF');
  });

  it('one element among the honest ones that another key evaluated', () => {
    const other = evaluate(bob.secretKey, blinded);
    expect(attempt({ evaluated: [answer.evaluated[0]!, other.evaluated[1]!] })).toBe('BAD_PROOF');
  });

  it('answers in another order, too few or too many', () => {
    const [first, second] = answer.evaluated as [Uint8Array, Uint8Array];
    expect(attempt({ evaluated: [second, first] })).toBe('BAD_PROOF');
    expect(attempt({ evaluated: [first] })).toBe('BAD_ARGUMENT');
    expect(attempt({ evaluated: [first, second, first] })).toBe('BAD_ARGUMENT');
  });

  it('a proof with any bit changed, or of another length', () => {
    fc.assert(
      fc.property(fc.nat({ max: 511 }), (bit) => {
        const proof = Uint8Array.from(answer.proof);
        proof[bit >> 3]! ^= 1 << (bit & 7);
        expect(attempt({ proof })).toBe('BAD_PROOF');
      }),
      { numRuns: 40 },
    );
    expect(attempt({ proof: answer.proof.subarray(1) })).toBe('BAD_PROOF');
    expect(attempt({ proof: new Uint8Array(64) })).toBe('BAD_PROOF');
    expect(attempt({ proof: Buffer.concat([ORDER, ORDER]) })).toBe('BAD_PROOF');
  });

  it.each(BAD_ENCODINGS)('the element %p, as an evaluation and as a public key', (encoding) => {
    const element = Buffer.from(encoding, 'hex');
    expect(attempt({ evaluated: [answer.evaluated[0]!, element] })).toBe('BAD_ELEMENT');
    expect(attempt({ key: element })).toBe('BAD_ELEMENT');
  });
});

describe('the evaluator refuses', () => {
  const { blinded } = blind([Buffer.from('a')]);

  it.each(BAD_ENCODINGS)('the element %p, and names its place', (encoding) => {
    const batch = [blinded[0]!, Buffer.from(encoding, 'hex')];
    expect(() => evaluate(alice.secretKey, batch)).toThrow(expect.objectContaining({ code: 'BAD_ELEMENT', index: 1 }));
  });

  it('random bytes exactly when they do not decode', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (element) => {
        const decodes = sodium.crypto_core_ristretto255_is_valid_point(element) && !sodium.is_zero(element);
        expect(codeOf(() => evaluate(alice.secretKey, [element]))).toBe(decodes ? 'none' : 'BAD_ELEMENT');
      }),
      { numRuns: 200 },
    );
  });

  it('keys and nonces that are zero, not reduced, or of another length', () => {
    for (const scalar of [new Uint8Array(32), ORDER, new Uint8Array(32).fill(0xff), alice.secretKey.subarray(1)]) {
      expect(codeOf(() => evaluate(scalar, blinded))).toBe('BAD_SCALAR');
      expect(codeOf(() => evaluate(alice.secretKey, blinded, scalar))).toBe('BAD_SCALAR');
      expect(codeOf(() => publicKey(scalar))).toBe('BAD_SCALAR');
    }
  });
});
