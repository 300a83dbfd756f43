// The layers of the source tree. Each entry says what a folder may import of ours; everything else is an error.
const layers = {
  'src/base': [],
  'src/formats': ['src/base'],
  'src/kit': ['src/base', 'src/formats'],
  'src/template': ['src/base'],
  'src/secrets': ['src/base'],
  'src/catalog': ['src/kit', 'src/base'],
  'src/protocol': ['src/base'],
  'src/playbook': ['src/base', 'src/kit', 'src/template', 'src/secrets', 'src/catalog'],
  'src/remote': ['src/base', 'src/kit'],
  'src/actions': ['src/engine', 'src/kit', 'src/base', 'src/playbook', 'src/remote', 'src/catalog'],
  'src/engine': [
    'src/playbook',
    'src/catalog',
    'src/protocol',
    'src/formats',
    'src/remote',
    'src/kit',
    'src/base',
    'src/template',
    'src/secrets',
  ],
  'src/report': ['src/base', 'src/kit', 'src/engine', 'src/store'],
  'src/store': ['src/base', 'src/engine', 'src/kit', 'src/secrets', 'src/template'],
  'src/converge': ['src/engine', 'src/store', 'src/report', 'src/playbook', 'src/remote', 'src/base'],
};
const anchored = (folder) => `^${folder}/`;
const rules = Object.entries(layers).map(([from, allowed]) => ({
  name: `layer-${from.replace('src/', '')}`,
  severity: 'error',
  comment: `${from} may import ${[from, ...allowed].join(', ')} only`,
  from: {path: anchored(from)},
  to: {path: '^(src|modules|test|lab|bench)/', pathNot: [from, ...allowed].map(anchored)},
}));

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: {circular: true, viaOnly: {dependencyTypesNot: ['type-only']}},
    },
    {
      name: 'modules-use-kit-only',
      severity: 'error',
      from: {path: '^modules/'},
      to: {path: '^(src|modules|test|lab)/', pathNot: ['^src/kit/index\\.ts$', '^src/formats/']},
    },
    {name: 'base-is-pure', severity: 'error', from: {path: '^src/base/'}, to: {dependencyTypes: ['core', 'npm']}},
    {
      name: 'events-only',
      severity: 'error',
      comment: 'reporters and the store know the events of the engine, nothing else of it',
      from: {path: '^src/(report|store)/'},
      to: {path: '^src/engine/', pathNot: '^src/engine/event\\.ts$'},
    },
    {name: 'resolvable', severity: 'error', from: {}, to: {couldNotResolve: true}},
  ],
  options: {
    doNotFollow: {path: 'node_modules'},
    tsPreCompilationDeps: true,
    tsConfig: {fileName: 'tsconfig.json'},
    enhancedResolveOptions: {exportsFields: ['exports'], conditionNames: ['import', 'node', 'default']},
  },
};
