/** Which part of the library may import which; see "Layout" in CONTRIBUTING.md. @type {import('dependency-cruiser').IConfiguration} */
const LIB = '^lib/';
const SPECS = '\\.spec\\.ts$';

const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: SPECS },
  to: { pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    only('core-stands-alone', 'no Nest, no ioredis, no zlib: usable from a script', '^lib/core/', [
      '^lib/core/',
      '^node_modules/(generic-pool|rxjs)/',
      '^(node:)?(async_hooks|diagnostics_channel|events|perf_hooks)$',
    ]),
    only('redis-knows-core', '', '^lib/redis/', [
      '^lib/(redis|core)/',
      '^node_modules/(ioredis|rxjs)/',
      '^(node:)?[a-z_/]+$',
    ]),
    only('compression-knows-core', '', '^lib/compression/', [
      '^lib/(compression|core)/',
      '^node_modules/rxjs/',
      '^(node:)?[a-z_/]+$',
    ]),
    only('health-knows-core-and-registry', '', '^lib/health/', [
      '^lib/(health|core)/',
      '^lib/pool\\.registry(\\.module)?\\.ts$',
      '^node_modules/@nestjs/(common|terminus)/',
    ]),
    only(
      'metrics-know-core-and-registry',
      'and what calls of a compression pool look like',
      '^lib/metrics/',
      [
        '^lib/(metrics|core)/',
        '^lib/compression/codec-calls\\.ts$',
        '^lib/pool\\.registry(\\.module)?\\.ts$',
        '^node_modules/(@nestjs/common|@opentelemetry/(api|sdk-metrics)|prom-client|rxjs)/',
      ],
    ),
    {
      name: 'kinds-are-known-in-one-place',
      comment: 'options may be named as types; only pool.providers makes pools, only index shows them',
      severity: 'error',
      from: { path: '^lib/[^/]+\\.ts$', pathNot: [SPECS, '^lib/(pool\\.providers|index)\\.ts$'] },
      to: { path: '^lib/(redis|compression)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'optional-peers-stay-behind-their-entry-points',
      severity: 'error',
      from: { path: LIB, pathNot: ['^lib/(health|metrics)/', SPECS] },
      to: {
        path: [
          '^lib/(health|metrics)/',
          'node_modules/@nestjs/terminus/',
          'node_modules/(@opentelemetry|prom-client)/',
        ],
      },
    },
    {
      name: 'import-the-file-not-the-barrel',
      severity: 'error',
      from: { path: LIB, pathNot: '^lib/index\\.spec\\.ts$' },
      to: { path: ['^lib/index\\.ts$', '^lib/[a-z]+/index\\.ts$'] },
    },
    {
      name: 'library-knows-no-test',
      severity: 'error',
      from: { path: LIB, pathNot: [SPECS, '\\.fake\\.ts$'] },
      to: { path: ['^(test|sample-app|bench|scripts)/', '\\.(spec|fake)\\.ts$'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
  },
};
