import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '@app/protocol';

/** A name as environment variables have them: in code as the first argument of a call, or read from the environment. */
const NAME = '([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)';
const IN_CODE = [new RegExp(`\\b\\w+\\(\\s*(?:reader,\\s*)?'${NAME}'`, 'g'), new RegExp(`env\\[\\s*'${NAME}'`, 'g')];
const IN_DOCUMENTS = new RegExp(`\`${NAME}\``, 'g');

/** Rejected rows have codes that look like names too. */
const OTHER_NAMES = /^apps\/member-agent\/src\/input\//;

function variablesOfTheCode(): Set<string> {
  const found = new Set<string>();
  for (const root of ['apps', 'libs/infrastructure/src'])
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).map((each) => join(root, each))) {
      if (!path.endsWith('.ts') || /\.spec\.ts$|testing/.test(path) || OTHER_NAMES.test(path)) continue;
      const text = readFileSync(path, 'utf8');
      for (const pattern of IN_CODE) for (const [, name] of text.matchAll(pattern)) found.add(name!);
      for (const [, names] of text.matchAll(/\{([^{}]*)\} = process\.env/g))
        for (const name of names!.split(',')) found.add(name.trim());
    }
  for (const code of Object.keys(ERROR_CODES)) found.delete(code);
  return withoutFileForms(found);
}

/** `X_FILE` is the other form of the secret `X`, where there is an `X`. */
function withoutFileForms(names: Set<string>): Set<string> {
  return new Set([...names].filter((name) => !(name.endsWith('_FILE') && names.has(name.slice(0, -'_FILE'.length)))));
}

function namedIn(text: string): Set<string> {
  const names = new Set([...text.matchAll(IN_DOCUMENTS)].map(([, name]) => name!));
  // What stands for any secret in the text that explains the two forms.
  names.delete('X_FILE');
  return withoutFileForms(names);
}

/** A document from one heading to the next of its level. */
function section(path: string, heading: string): string {
  const [, rest = ''] = readFileSync(path, 'utf8').split(`\n## ${heading}\n`);
  return rest.split('\n## ')[0]!;
}

describe('environment variables', () => {
  const inCode = variablesOfTheCode();

  it('are found in the code', () => {
    expect([...inCode]).toEqual(expect.arrayContaining(['DATABASE_URL', 'BLINDER_CLOCK_FILE', 'METRICS_PORT']));
  });

  it.each([
    ['README.md', 'Configuration'],
    ['README.ko.md', '설정'],
  ])('are all in %s, and no others', (path, heading) => {
    expect([...namedIn(section(path, heading))].sort()).toEqual([...inCode].sort());
  });

  it('that docs/operations.md names exist, and it tells each process its own', () => {
    const text = readFileSync('docs/operations.md', 'utf8');
    const unknown = [...namedIn(text)].filter((name) => !inCode.has(name) && !(name in ERROR_CODES));
    expect(unknown).toEqual([]);
    const told = namedIn(section('docs/operations.md', 'Environment'));
    // What people's and members' own commands read is not the operators' to set.
    const own = ['AGENT_CONFIG', 'HUB_URL', 'PERSON_KEY_FILE', 'PERSON_NAME'];
    expect([...inCode].filter((name) => !told.has(name) && !own.includes(name))).toEqual([]);
  });
});
