/** Who may import whom (DESIGN, "The house"): the table as data. */
const LIBS = {
  protocol: [],
  blinding: [],
  infrastructure: ['protocol'],
  keys: ['infrastructure', 'protocol'],
  audit: ['keys', 'infrastructure', 'protocol'],
  identity: ['protocol', 'audit', 'keys', 'infrastructure'],
  standard: ['protocol', 'identity', 'audit', 'keys', 'infrastructure'],
  signals: ['protocol', 'identity', 'standard', 'audit', 'infrastructure'],
  correlation: ['protocol'],
  assessments: ['correlation', 'signals', 'standard', 'protocol', 'audit', 'infrastructure'],
  recommendations: [
    'assessments',
    'signals',
    'correlation',
    'standard',
    'identity',
    'audit',
    'keys',
    'protocol',
    'infrastructure',
  ],
  reports: ['signals', 'recommendations', 'standard', 'identity', 'audit', 'keys', 'protocol', 'infrastructure'],
  'member-sdk': ['protocol', 'blinding'],
  simulation: ['protocol'],
};
const ALL = Object.keys(LIBS);
const APPS = {
  hub: ALL.filter((lib) => !['member-sdk', 'simulation', 'blinding'].includes(lib)),
  worker: ALL.filter((lib) => !['member-sdk', 'simulation', 'blinding'].includes(lib)),
  blinder: ['blinding', 'protocol', 'infrastructure'],
  'member-agent': ['member-sdk', 'infrastructure'],
  cli: ['member-sdk', 'simulation', 'correlation', 'protocol', 'infrastructure'],
};
/** Parts of infrastructure that small apps may use. */
const SMALL_INFRASTRUCTURE = '^libs/infrastructure/src/(config|logging|clock|metrics)/';
const SPECS = '(\\.spec\\.ts$|/testing/|/testing\\.ts$)';

const mayImport = (from, folder, allowed) => ({
  name: `${folder}/${from}`,
  severity: 'error',
  from: { path: `^${folder}/${from}/`, pathNot: SPECS },
  to: { path: '^(libs|apps|test)/', pathNot: [`^${folder}/${from}/`, ...allowed.map((lib) => `^libs/${lib}/`)] },
});

module.exports = {
  forbidden: [
    ...Object.entries(LIBS).map(([lib, allowed]) => mayImport(lib, 'libs', allowed)),
    ...Object.entries(APPS).map(([app, allowed]) => mayImport(app, 'apps', allowed)),
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-by-the-entry',
      comment: 'A lib is imported by its index (infrastructure: by the index of a part).',
      severity: 'error',
      from: { path: '^(libs/([^/]+)|apps/[^/]+)/', pathNot: SPECS },
      to: {
        path: '^libs/([^/]+)/src/.',
        pathNot: ['^libs/$2/', '^libs/[^/]+/src/index\\.ts$', '^libs/infrastructure/src/[^/]+/index\\.ts$'],
      },
    },
    {
      name: 'small-apps-small-infrastructure',
      severity: 'error',
      from: { path: '^apps/(blinder|member-agent)/' },
      to: { path: '^libs/infrastructure/', pathNot: SMALL_INFRASTRUCTURE },
    },
    {
      name: 'one-way-out',
      comment: 'The hub and the worker call out by @app/infrastructure/outgoing, which checks where to.',
      severity: 'error',
      from: {
        path: '^(libs/(?!member-sdk/)|apps/(hub|worker)/)',
        pathNot: [SPECS, '^libs/infrastructure/src/outgoing/'],
      },
      to: { path: 'node_modules/undici/' },
    },
    {
      name: 'domain-is-pure',
      comment: 'Rules know no framework, no storage, no queue, no process.',
      severity: 'error',
      from: { path: '^libs/([^/]+/src/domain|correlation/src|protocol/src)/', pathNot: SPECS },
      to: {
        path: '(node_modules/(@nestjs|typeorm|bullmq|graphql|@apollo|pg|undici|pino)/|^libs/infrastructure/(?!src/clock/))',
      },
    },
    {
      name: 'domain-imports-domain',
      severity: 'error',
      from: { path: '^libs/([^/]+)/src/domain/', pathNot: SPECS },
      to: { path: '^libs/$1/src/(?!domain/)' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      // What was built is there or not; the build's own step says which.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'], pathNot: '(^|/)dist/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules)/' },
  },
};
