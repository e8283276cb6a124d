import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { buildSchema, type DocumentNode, type OperationDefinitionNode, parse, specifiedRules, validate } from 'graphql';
import { OPERATIONS } from '@app/protocol';
import { DOCUMENT_LIMITS } from '../limits/limits.js';
import { DOCUMENT_RULES, tooCostly } from './document-limits.js';

const schema = buildSchema(readFileSync('apps/hub/schema.graphql', 'utf8'));
const operationOf = (document: DocumentNode) =>
  document.definitions.find((d): d is OperationDefinitionNode => d.kind === 'OperationDefinition')!;

/** What is said against a document: by the schema, by the limits, by its cost. */
function refusals(text: string, variables: Record<string, unknown> = {}): string[] {
  const document = parse(text, { maxTokens: DOCUMENT_LIMITS.tokens });
  const found = validate(schema, document, [...specifiedRules, ...DOCUMENT_RULES]).map((error) => error.message);
  return tooCostly(schema, document, operationOf(document), variables) ? [...found, 'cost'] : found;
}

const NODE = `id key rung state issuedAt deadline deliveredAt acknowledgedAt executedAt policyVersion probability
  reasons { code nats textKo textEn } explanationKo explanationEn customerNoticeKo customerNoticeEn supersedes outcome outcomeReason`;
const PAGE = (first: string, alias = '') =>
  `${alias} recommendations${first} { edges { cursor node { ${NODE} } } pageInfo { hasNextPage endCursor } }`;

describe('the limits of a document', () => {
  it.each(Object.entries(OPERATIONS))('leave %s of the trusted documents', (_name, text) => {
    expect(refusals(text, { first: 1000 })).toEqual([]);
  });

  it('leave the largest page with every field, by number, by variable, by default and in a fragment', () => {
    expect(refusals(`{ ${PAGE('(first: 1000)')} }`)).toEqual([]);
    expect(refusals(`query ($n: Int) { ${PAGE('(first: $n)')} }`, { n: 1000 })).toEqual([]);
    expect(refusals(`{ ${PAGE('')} ${PAGE('', 'b:')} ${PAGE('', 'c:')} }`)).toEqual([]);
    expect(refusals(`{ ...P } fragment P on Query { ${PAGE('(first: 1000)')} }`)).toEqual([]);
  });

  const twice = (first: string) => `${PAGE(first)} ${PAGE(first, 'again:')}`;
  it.each<[string, string, Record<string, unknown>]>([
    ['by number', `{ ${twice('(first: 1000)')} }`, {}],
    ['by variable', `query ($n: Int) { ${twice('(first: $n)')} }`, { n: 1000 }],
    ['by the default of a variable', `query ($n: Int = 1000) { ${twice('(first: $n)')} }`, {}],
    [
      'in fragments',
      `{ a: __typename ...P b: __typename ...Q } fragment P on Query { ${PAGE('(first: 1000)')} } fragment Q on Query { ${PAGE('(first: 1000)', 'q:')} }`,
      {},
    ],
    ['behind a cheap document of the same text', `query ($n: Int) { ${twice('(first: $n)')} }`, { n: 999 }],
    ['by one absurd page', `query ($n: Int) { ${PAGE('(first: $n)')} }`, { n: 2147483647 }],
  ])('refuse two such pages at once: %s', (_how, text, variables) => {
    expect(refusals(text, variables)).toContain('cost');
  });

  it('judge one document by each request’s own variables', () => {
    const document = parse(`query ($n: Int) { ${twice('(first: $n)')} }`);
    const judge = (n: number) => tooCostly(schema, document, operationOf(document), { n });
    expect([judge(1), judge(1000), judge(1)]).toEqual([false, true, false]);
  });

  it.each<[string, string, RegExp]>([
    ['aliases', `{ ${Array.from({ length: 16 }, (_, i) => `a${i}: lastSequence`).join(' ')} }`, /more than 15 aliases/],
    [
      'aliases in fragments',
      `{ ...F ...G } ${['F', 'G'].map((f) => `fragment ${f} on Query { ${Array.from({ length: 8 }, (_, i) => `${f}${i}: lastSequence`).join(' ')} }`).join(' ')}`,
      /more than 15 aliases/,
    ],
    ['directives', `{ lastSequence ${'@include(if: true) '.repeat(11)} }`, /more than 10 directives/],
    ['depth', `{ ${'recommendations { edges { '.repeat(5)} id ${'} } '.repeat(5)} }`, /deeper than 8 levels/],
    [
      'depth in fragments',
      `{ ...F } fragment F on Query { ${'recommendations { edges { '.repeat(5)} id ${'} } '.repeat(5)} }`,
      /deeper than 8 levels/,
    ],
  ])('name what is too much: %s', (_what, text, message) => {
    expect(refusals(text)).toContainEqual(expect.stringMatching(message));
  });

  it.each<[string, string]>([
    ['a page of lists', '{ a: warningLists { edges { cursor } } b: warningLists { edges { cursor } } }'],
    ['their entries', '{ warningLists { edges { node { a: entries b: entries } } } }'],
    [
      'their entries in fragments',
      '{ warningLists { edges { node { ...A ...B } } } } fragment A on WarningList { a: entries } fragment B on WarningList { b: entries }',
    ],
    [
      'a batch',
      'mutation ($i: SubmitSignalsInput!) { a: submitSignals(input: $i) { state } b: submitSignals(input: $i) { state } }',
    ],
  ])('leave what is worth megabytes once: %s', (_what, text) => {
    expect(refusals(text)).toEqual([expect.stringMatching(/^A document asks for \w+\.\w+ once/)]);
  });

  it('stop at fragments that use each other', () => {
    const ring = '{ ...A } fragment A on Query { lastSequence ...B } fragment B on Query { a: lastSequence ...A }';
    expect(refusals(ring)).toContainEqual(expect.stringMatching(/Cannot spread fragment/));
  });

  it('hold for any pages: the cost grows with each page, and with their number', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(sizes, (pages) => {
        const names = pages.map((_, i) => `$p${i}: Int`).join(' ');
        const fields = pages.map(
          (_, i) => `f${i}: standings(first: $p${i}) { edges { cursor node { keyShort member } } }`,
        );
        const text = `query (${names}) { ${fields.join(' ')} }`;
        const variables = Object.fromEntries(pages.map((size, i) => [`p${i}`, size]));
        // A page is itself, edges, cursor, node and its two fields: six values an entry.
        const values = pages.reduce((sum, size) => sum + size * 6, 0);
        expect(refusals(text, variables).includes('cost')).toBe(values > DOCUMENT_LIMITS.cost);
      }),
    );
  });
});
