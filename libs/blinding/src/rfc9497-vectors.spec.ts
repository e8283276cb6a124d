import { blind, deriveKeyPair, evaluate, evaluateDirectly, finalize, publicKey } from './index.js';
import { expandMessage } from './hashing.js';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** RFC 9497, appendix A.1.2 (ristretto255-SHA512, VOPRF mode). */
const SEED = 'a3'.repeat(32);
const KEY_INFO = '74657374206b6579';
const SECRET_KEY = 'e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909';
const PUBLIC_KEY = 'c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e';
const BLIND_A = '64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706';
const BLIND_B = '222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e';
const INPUT_1 = '00';
const INPUT_2 = '5a'.repeat(17);
const OUTPUT_1 =
  'b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d' +
  'a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c';
const OUTPUT_2 =
  '8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60' +
  '356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6';

const vectors = [
  {
    name: 'A.1.2.1, batch of one',
    inputs: [INPUT_1],
    blinds: [BLIND_A],
    blinded: ['863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945'],
    evaluated: ['aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e'],
    proof:
      'ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06' +
      '6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d',
    proofRandom: '222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e',
    outputs: [OUTPUT_1],
  },
  {
    name: 'A.1.2.2, batch of one',
    inputs: [INPUT_2],
    blinds: [BLIND_A],
    blinded: ['cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c'],
    evaluated: ['60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468'],
    proof:
      '401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a' +
      '67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02',
    proofRandom: '222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e',
    outputs: [OUTPUT_2],
  },
  {
    name: 'A.1.2.3, batch of two',
    inputs: [INPUT_1, INPUT_2],
    blinds: [BLIND_A, BLIND_B],
    blinded: [
      '863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945',
      '90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654',
    ],
    evaluated: [
      'aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e',
      'cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a',
    ],
    proof:
      'cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a' +
      '5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08',
    proofRandom: '419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c',
    outputs: [OUTPUT_1, OUTPUT_2],
  },
];

describe('RFC 9497 appendix A.1.2', () => {
  it('DeriveKeyPair', () => {
    const pair = deriveKeyPair(hex(SEED), hex(KEY_INFO));
    expect(text(pair.secretKey)).toBe(SECRET_KEY);
    expect(text(pair.publicKey)).toBe(PUBLIC_KEY);
    expect(text(publicKey(hex(SECRET_KEY)))).toBe(PUBLIC_KEY);
  });

  describe.each(vectors)('$name', (vector) => {
    const blinded = () => blind(vector.inputs.map(hex), vector.blinds.map(hex));

    it('Blind', () => {
      expect(blinded().blinded.map(text)).toEqual(vector.blinded);
    });

    it('BlindEvaluate and its proof', () => {
      const answer = evaluate(hex(SECRET_KEY), vector.blinded.map(hex), hex(vector.proofRandom));
      expect(answer.evaluated.map(text)).toEqual(vector.evaluated);
      expect(text(answer.proof)).toBe(vector.proof);
    });

    it('Finalize', () => {
      const outputs = finalize(blinded().state, vector.evaluated.map(hex), hex(vector.proof), hex(PUBLIC_KEY));
      expect(outputs.map(text)).toEqual(vector.outputs);
    });

    it('Evaluate', () => {
      expect(vector.inputs.map((input) => text(evaluateDirectly(hex(SECRET_KEY), hex(input))))).toEqual(vector.outputs);
    });
  });
});

/** RFC 9380, appendix K.3, 32-byte outputs. */
describe('RFC 9380 expand_message_xmd with SHA-512', () => {
  it.each([
    ['', '6b9a7312411d92f921c6f68ca0b6380730a1a4d982c507211a90964c394179ba'],
    ['abc', '0da749f12fbe5483eb066a5f595055679b976e93abe9be6f0f6318bce7aca8dc'],
    ['abcdef0123456789', '087e45a86e2939ee8b91100af1583c4938e0f5fc6c9db4b107b83346bc967f58'],
  ])('%p', (message, expected) => {
    const tag = Buffer.from('QUUX-V01-CS02-with-expander-SHA512-256');
    expect(text(expandMessage(Buffer.from(message), tag, 32))).toBe(expected);
  });
});
