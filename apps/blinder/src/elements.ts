import { ELEMENT_BYTES } from '@app/blinding';
import { BongsuError } from '@app/protocol';

/** Most elements of one request. */
export const MAX_ELEMENTS = 1000;

/** Elements joined end to end: one buffer crosses to the worker instead of a thousand. */
export function joinElements(elements: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(elements));
}

/** The elements of a joined buffer, as views into it. */
export function splitElements(joined: Uint8Array): Uint8Array[] {
  return Array.from({ length: joined.length / ELEMENT_BYTES }, (_, i) =>
    joined.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES),
  );
}

/** Bytes as base64url without padding: their form in this door's JSON. */
export function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** What a member asks to have evaluated. */
export interface EvaluateRequest {
  readonly epoch: number;
  readonly elements: Uint8Array[];
}

/**
 * Reads the body of an evaluation. Whether the elements are group elements is the evaluator's to see.
 * @throws {BongsuError} BAD_INPUT with the place in `where`; BATCH_TOO_LARGE above {@link MAX_ELEMENTS}
 */
export function parseEvaluateRequest(body: string): EvaluateRequest {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new BongsuError('BAD_INPUT', 'The body is not JSON.');
  }
  const { epoch, elements } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(epoch)) throw new BongsuError('BAD_INPUT', '"epoch" must be a whole number.', 'epoch');
  if (!Array.isArray(elements) || elements.length === 0)
    throw new BongsuError('BAD_INPUT', `"elements" must be a list of 1 to ${MAX_ELEMENTS} elements.`, 'elements');
  if (elements.length > MAX_ELEMENTS)
    throw new BongsuError('BATCH_TOO_LARGE', `At most ${MAX_ELEMENTS} elements, not ${elements.length}.`, 'elements');
  return { epoch: epoch as number, elements: elements.map(decodeElement) };
}

function decodeElement(text: unknown, index: number): Uint8Array {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
  // One text per value: an element written in two ways could pass for two.
  if (bytes.length !== ELEMENT_BYTES || bytes.toString('base64url') !== text)
    throw new BongsuError(
      'BAD_INPUT',
      `Element ${index} is not ${ELEMENT_BYTES} bytes in base64url without padding.`,
      `elements[${index}]`,
    );
  return bytes;
}
