import { parse } from 'graphql';
import { documentIdOf, OPERATIONS } from './operations.js';

describe('the documents of members', () => {
  it.each(Object.entries(OPERATIONS))('%s is one named operation that asks for that field', (field, text) => {
    const { definitions } = parse(text);
    const name = field[0]!.toUpperCase() + field.slice(1);
    const selections = [{ kind: 'Field', name: { value: field } }];
    expect(definitions).toMatchObject([
      { kind: 'OperationDefinition', name: { value: name }, selectionSet: { selections } },
    ]);
  });

  it('are named by the hash of their exact text', () => {
    // printf %s 'query LastSequence { lastSequence }' | sha256sum
    expect(documentIdOf(OPERATIONS.lastSequence)).toBe(
      'sha256:597c6e35eed0045c84b373e3636165ffe8b9fd9d0f1609d6293c9a2d4670809e',
    );
    const ids = Object.values(OPERATIONS).map(documentIdOf);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
