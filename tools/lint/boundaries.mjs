/**
 * Who may import whom. ARCHITECTURE.md draws the layers; docs/adr/0003-layers.md gives the reasons. The constraints of every tag that a
 * project carries apply together.
 */

const redis = ['redis', 'ioredis', '@redis/*'];
const grpc = ['@grpc/*', 'grpc-health-check'];
const tensorflow = ['@tensorflow/*'];

const layers = [
  { sourceTag: 'layer:plain', allowed: ['layer:plain'], banned: [...tensorflow, ...grpc, ...redis] },
  { sourceTag: 'layer:numerics', allowed: ['layer:numerics', 'layer:plain'], banned: [...grpc, ...redis] },
  { sourceTag: 'layer:io', allowed: ['layer:io', 'layer:plain'], banned: tensorflow },
  { sourceTag: 'layer:pipeline', allowed: ['layer:pipeline', 'layer:numerics', 'layer:io', 'layer:plain'], banned: [...grpc, ...redis] },
  { sourceTag: 'layer:testing', allowed: [], banned: [...grpc, ...redis] },
  { sourceTag: 'layer:app', allowed: ['layer:pipeline', 'layer:numerics', 'layer:io', 'layer:plain'], banned: [] },
];

/** No numerics, not even through another library: the coordinator and the reducers must start on a machine without TensorFlow. */
const withoutNumerics = ['app:coordinator', 'app:reducer'].map((sourceTag) => ({
  sourceTag,
  // Through any library; layer:testing is not among them, since specs of those libraries may use it.
  notDependOnLibsWithTags: ['layer:numerics', 'layer:pipeline'],
  bannedExternalImports: tensorflow,
}));

/** Runs in a browser: what is plain, and nothing that needs Node, a tensor runtime or gRPC. */
const inBrowsers = {
  sourceTag: 'app:page',
  onlyDependOnLibsWithTags: ['layer:plain'],
  bannedExternalImports: [...tensorflow, ...grpc, ...redis, 'fastify', 'commander'],
};

/**
 * Modules of those apps that are threads of their own, started when there is something to compute: the only ones with numerics, and nobody may import them.
 */
export const computeThreads = ['apps/reducer/src/factorise/factorise-thread.ts'];

/**
 * Options of `@nx/enforce-module-boundaries`.
 *
 * @param {object} options
 * @param {boolean} options.isSpec  For test files, which may also import layer:testing.
 * @param {boolean} [options.isThread]  For the files of {@link computeThreads}, which may import numerics.
 * @returns {object}
 */
export function boundaries({ isSpec, isThread = false }) {
  const extra = isSpec ? ['layer:testing'] : [];
  const rows = layers.map(({ sourceTag, allowed, banned }) => ({
    sourceTag,
    onlyDependOnLibsWithTags: [...allowed, ...extra],
    ...(banned.length > 0 && { bannedExternalImports: banned }),
  }));
  return {
    enforceBuildableLibDependency: false,
    allow: [],
    depConstraints: isSpec || isThread ? rows : [...rows, ...withoutNumerics, inBrowsers],
  };
}

/** Node's own modules that reach a disk, a network or a process: banned in layer:plain and layer:numerics. The Nx rule sees npm packages only. */
export const ioModules = [
  'fs',
  'fs/promises',
  'net',
  'tls',
  'dgram',
  'dns',
  'http',
  'http2',
  'https',
  'child_process',
  'cluster',
  'readline',
  'worker_threads',
];

/** The libraries of layer:plain and layer:numerics. */
export const withoutIo = [
  'client',
  'errors',
  'partials',
  'scheduling',
  'simulation',
  'metrics',
  'tensor-files',
  'backend',
  'linalg',
  'likelihoods',
  'network',
  'training',
  'curvature',
  'subnetwork',
  'posterior',
  'predictive',
];
