import { readFileSync } from 'node:fs';
import { schemaText } from './write-schema.js';

describe('the committed schema', () => {
  it('is that of the code (npm run schema writes it)', async () => {
    expect(readFileSync('apps/hub/schema.graphql', 'utf8')).toBe(await schemaText());
  });
});
