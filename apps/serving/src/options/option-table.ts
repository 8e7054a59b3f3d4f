import { batchingDefaults } from '../batching/batching-options.ts';
import { bytes, choice, integer, number, origins, text, texts, toggle, type OptionKind } from './option-kind.ts';

/** One option of the serving process: where it may come from follows from its key. */
export interface OptionSpec<T> {
  readonly kind: OptionKind<NonNullable<T>>;
  readonly group: OptionGroup;
  readonly help: string;
  /** Of the flag that turns it off. */
  readonly helpOff?: string;
  readonly default: T;
  /** Its variable, where roles share it; else `SUBLACE_SERVE_` and the key. */
  readonly variable?: string;
  /** Only from the environment, and never shown: everybody on a machine can read command lines. */
  readonly isSecret?: boolean;
  /** Not in a file. */
  readonly isFlagOnly?: boolean;
}

/** Headings of the help. */
export type OptionGroup = 'Models' | 'Listening' | 'Batching' | 'Access' | 'Observing' | 'Stopping' | 'Configuration';

/** A day: longer than anything should wait, and short enough for a timer. */
const dayMs = 86_400_000;

function option<T>(
  group: OptionGroup,
  kind: OptionKind<T>,
  help: string,
  more: { default: NoInfer<T> } & Partial<OptionSpec<NoInfer<T>>>,
): OptionSpec<T>;
function option<T>(
  group: OptionGroup,
  kind: OptionKind<T>,
  help: string,
  more?: Partial<OptionSpec<NoInfer<T>>>,
): OptionSpec<T | undefined>;
function option<T>(group: OptionGroup, kind: OptionKind<T>, help: string, more: Partial<OptionSpec<T>> = {}): OptionSpec<T | undefined> {
  return { group, kind, help, default: undefined, ...more } as OptionSpec<T | undefined>;
}

/** Every option: key in a file (`httpPort`), flag (`--http-port`), variable (`SUBLACE_SERVE_HTTP_PORT`), check, default and help. */
export const optionTable = {
  posterior: option('Models', texts('[NAME=]PLACE'), 'a posterior to serve, a folder or s3://BUCKET/PATH; may be repeated'),
  model: option('Models', text('dir'), "use this model instead of the posterior's copy; it must be the same one"),
  name: option('Models', text('name'), 'name that requests use for one posterior (default: the last part of its place)'),
  registry: option('Models', text('URI'), 'serve what a registry publishes, and follow it: a folder, s3://BUCKET/PATH or redis://...'),
  serve: option('Models', texts('NAME'), 'serve only this name of the registry; may be repeated (default: all)'),
  canaryShare: option('Models', number(0, 1, 'share'), 'share of requests without a version that the label canary answers', { default: 0 }),
  memoryLimit: option('Models', bytes(1), 'most memory that loaded versions may take, such as 8GiB (default: no limit)'),
  swap: option<'availability-preserving' | 'resource-preserving'>(
    'Models',
    choice('availability-preserving', 'resource-preserving'),
    'where memory is short: refuse the new version, or unload the old one first',
    { default: 'availability-preserving' },
  ),
  keepPrevious: option('Models', toggle(), 'keep the version that was stable before loaded while its memory is not needed', {
    default: false,
  }),
  lastKnownFile: option('Models', text('file'), 'keeps what the registry said last, for a start while it cannot be read (default: none)'),
  covariance: option<'exact' | 'truncated'>('Models', choice('exact', 'truncated'), 'how predictive variances are computed', {
    default: 'exact',
  }),
  threads: option(
    'Models',
    integer(1, 1024),
    'threads of one operation (default: one where the posteriors given are small, else one per core)',
  ),
  strictReadiness: option('Models', toggle(), 'ready only while every model is', {
    default: true,
    helpOff: 'ready once no model is loading and one is ready',
  }),

  host: option('Listening', text('address'), 'address to listen on; elsewhere than on loopback tokens are required', {
    default: '127.0.0.1',
  }),
  httpPort: option('Listening', integer(0, 65_535, 'port'), 'port of REST and the page, 0 for any', { default: 8080 }),
  grpcPort: option('Listening', integer(0, 65_535, 'port'), 'port of gRPC, 0 for any', { default: 8081 }),
  maxBodyBytes: option('Listening', bytes(1024), 'largest request, also after decompression', { default: 64 * 2 ** 20 }),
  maxBodyBytesTotal: option(
    'Listening',
    bytes(1024),
    'most bytes of REST requests under way, also after decompression (default: 8 times --max-body-bytes)',
  ),
  maxConnections: option('Listening', integer(1, 1_000_000), 'most connections to each port at a time', { default: 10_000 }),
  page: option('Listening', toggle(), 'serve the web page at /', { default: true, helpOff: 'no web page at /' }),

  maxBatchSize: option('Batching', integer(1, 1_000_000), 'most examples in one batch', { default: batchingDefaults.maxBatchSize }),
  maxQueueDelayMs: option('Batching', number(0, 60_000, 'ms'), 'how long the first request of a batch waits for others', {
    default: batchingDefaults.maxQueueDelayMs,
  }),
  maxQueueSize: option('Batching', integer(1, 1_000_000), 'most requests that wait for one version; more are refused at once', {
    default: batchingDefaults.maxQueueSize,
  }),
  maxQueueBytes: option('Batching', bytes(1024), 'most bytes of inputs that wait for one version', {
    default: batchingDefaults.maxQueueBytes,
  }),
  queueTimeoutMs: option('Batching', number(1, dayMs, 'ms'), 'longest wait for a batch', { default: batchingDefaults.queueTimeoutMs }),

  inferenceTokenFile: option('Access', text('file'), 'tokens for inference, one a line: NAME:TOKEN or TOKEN'),
  adminTokenFile: option('Access', text('file'), 'tokens that may also change what is served'),
  inferenceToken: option('Access', text('tokens'), 'tokens for inference, parted by spaces', { isSecret: true }),
  adminToken: option('Access', text('tokens'), 'tokens that may also change what is served, parted by spaces', { isSecret: true }),
  openCalls: option(
    'Access',
    choice('none', 'health', 'metadata'),
    'calls that need no token: none, those of probes, or also those that say what is served',
    {
      default: 'health',
    },
  ),
  insecureNoToken: option('Access', toggle(), 'listen elsewhere than on loopback without tokens', { default: false }),
  corsOrigin: option(
    'Access',
    origins(),
    'pages of this origin may call, such as https://app.example.org, * for all; may be repeated (default: none)',
  ),
  rateLimit: option(
    'Access',
    number(0.001, 1e6, 'rate'),
    'requests per second of each token, or of each address without one (default: no limit)',
  ),
  rateBurst: option('Access', integer(1, 1_000_000), 'requests at once after a pause (default: those of one second)'),
  tlsCert: option('Access', text('file'), 'certificate with its chain, PEM; read again when it changes', { variable: 'SUBLACE_TLS_CERT' }),
  tlsKey: option('Access', text('file'), 'key of the certificate, PEM', { variable: 'SUBLACE_TLS_KEY' }),
  tlsCa: option('Access', text('file'), "authorities of clients, PEM, or 'system'", { variable: 'SUBLACE_TLS_CA' }),
  tlsClientAuth: option('Access', toggle(), 'take calls only from clients with a certificate of --tls-ca', {
    default: false,
    variable: 'SUBLACE_TLS_CLIENT_AUTH',
  }),

  metricsPort: option(
    'Observing',
    integer(0, 65_535, 'port'),
    'port of GET /metrics and /healthz without token, 0 for any (default: none)',
  ),
  tritonMetrics: option('Observing', toggle(), 'also the metrics that Triton has, nv_inference_*', { default: false }),
  logLevel: option('Observing', choice('silent', 'error', 'warn', 'info', 'debug'), 'how much to log', { default: 'info' }),
  accessLog: option('Observing', toggle(), 'a line for each request', { default: false }),

  drainDelayMs: option('Stopping', integer(0, dayMs, 'ms'), 'how long to go on answering, but not ready, after SIGTERM', { default: 0 }),
  drainTimeoutMs: option('Stopping', integer(0, dayMs, 'ms'), 'how long answers under way may take after that', { default: 30_000 }),

  config: option('Configuration', text('file'), 'read options from a JSON file; flags and variables go before it', { isFlagOnly: true }),
  printConfig: option('Configuration', toggle(), 'print the options that hold, without secrets, and end', {
    default: false,
    isFlagOnly: true,
  }),
} as const;

/** Name of an option. */
export type OptionKey = keyof typeof optionTable;

/** Every option with its value. */
export type OptionValues = { -readonly [Key in OptionKey]: (typeof optionTable)[Key] extends OptionSpec<infer T> ? T : never };

/** The table in its order. */
export const optionEntries = Object.entries(optionTable) as [OptionKey, OptionSpec<unknown>][];

/**
 * The flag of an option.
 *
 * @param key  Its key.
 * @returns  `--http-port` of `httpPort`.
 */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * The variable of an option.
 *
 * @param key  Its key.
 * @param spec  It.
 * @returns  `SUBLACE_SERVE_HTTP_PORT` of `httpPort`.
 */
export function variableOf(key: string, spec: Pick<OptionSpec<unknown>, 'variable'>): string {
  return spec.variable ?? `SUBLACE_SERVE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
