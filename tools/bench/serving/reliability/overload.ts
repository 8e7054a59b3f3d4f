import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../../numerics/report/statistics.ts';
import { targetOf } from '../cases/inputs.ts';
import type { LoadTarget } from '../load/connection.ts';
import type { LoadWindow } from '../load/generator.ts';
import type { Encoding } from '../load/request-bodies.ts';
import { startGenerator, type Generator } from '../load/start-generator.ts';
import { goodLatencies } from '../measure.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior, type BenchPosterior } from '../posterior.ts';
import type { PartResult, Target } from '../report.ts';
import { servingEntry, startServing, type ServingProcess } from '../serving-process.ts';

/** Settings of the server that is overloaded: what bounds the wait of a request that it takes. */
const QUEUE = { size: 32, timeoutMs: 2_000, batch: 64 };

/** How many times its capacity a server is asked for; the share of it before and after, which it serves with ease. */
const [OVERLOAD, EASY] = [10, 0.3];

/** Capacity that the requests are made large enough for, answers/s: ten times as many are within the means of one generator beside the server. */
const CAPACITY_MAX = 150;

/** Refusals that do not come at once are no relief, nor is a health check that its caller gives up (Kubernetes waits one second). */
const LIMITS = { refusalMs: 100, healthMs: 1_000, answered: 0.7, recoverySeconds: 1 };

/** Resolution of the time after the overload, ms. */
const BIN_MS = 100;

/**
 * Ten times the load that a server can bear, by both protocols: it refuses at once what it cannot take, goes on answering at its capacity, answers health checks, and
 * is as fast as before within a second of the end.
 *
 * @param options  Posterior and length of a window; the overload lasts two of them.
 * @returns  Checks.
 */
export async function overload({ posterior: given, effort }: ServingBenchOptions): Promise<PartResult> {
  const posterior = await benchPosterior(given);
  const server = await startServing(servingEntry, [
    ...['--posterior', `bench=${posterior.place}`, '--http-port', '0', '--grpc-port', '0', '--max-batch-size', String(QUEUE.batch)],
    ...['--max-queue-size', String(QUEUE.size), '--queue-timeout-ms', String(QUEUE.timeoutMs)],
  ]);
  const generator = startGenerator();
  try {
    const targets: Target[] = [];
    const title = [];
    for (const encoding of ['rest-binary', 'grpc'] as const) {
      const { target, capacity, examples } = await calibrate(server, encoding, posterior, generator, effort.windowMs);
      title.push(`${encoding}: ${examples} examples a request, ${capacity.toFixed(0)} answers/s at most`);
      targets.push(...(await overloadBy(encoding, target, capacity, { server, generator, windowMs: effort.windowMs })));
    }
    return { title: `overload at ${OVERLOAD} times the capacity (${title.join('; ')})`, cases: [], targets };
  } finally {
    generator.stop();
    await server.stop();
  }
}

/** Requests so large that the server answers few of them, and how many that is when enough clients ask. */
async function calibrate(
  server: ServingProcess,
  encoding: Encoding,
  posterior: BenchPosterior,
  generator: Generator,
  windowMs: number,
): Promise<{ target: LoadTarget; capacity: number; examples: number }> {
  const capacityOf = async (target: LoadTarget): Promise<number> => {
    const window = await generator.run({ target, pace: { kind: 'closed', concurrency: 16 }, warmUpMs: 300, windowMs });
    return goodLatencies(window).length / window.seconds;
  };
  for (let examples = 1; ; examples *= 2) {
    const target = targetOf(server, encoding, { model: 'bench', input: 'input', shape: [examples, ...posterior.inputShape], outputs: [] });
    const capacity = await capacityOf(target);
    if (capacity <= CAPACITY_MAX || examples >= 4096) return { target, capacity, examples };
    if (capacity > 4 * CAPACITY_MAX) examples *= 2;
  }
}

async function overloadBy(
  encoding: Encoding,
  target: LoadTarget,
  capacity: number,
  { server, generator, windowMs }: { server: ServingProcess; generator: Generator; windowMs: number },
): Promise<Target[]> {
  const steps = [
    { perSecond: EASY * capacity, ms: windowMs },
    { perSecond: OVERLOAD * capacity, ms: 2 * windowMs },
    { perSecond: EASY * capacity, ms: 2 * windowMs },
  ];
  const health = watchHealth(server);
  const window = await generator.run({
    target,
    pace: { kind: 'open', steps, connectionsMax: 1024 },
    warmUpMs: 0,
    windowMs: steps.reduce((sum, { ms }) => sum + ms, 0),
  });
  const checks = await health.stop();
  const [begin, end] = [windowMs, 3 * windowMs];
  const before = goodLatencies(between(window, 0, begin));
  const during = between(window, begin, end);
  const good = goodLatencies(during);
  const refusals = [...during.latency].filter((_, i) => /^HTTP 503$|^RESOURCE_EXHAUSTED$/.test(during.outcomes[during.outcome[i]]));
  const others = during.latency.length - good.length - refusals.length;
  // What waits in front of a request: a full queue, a batch that is computed and one behind it.
  const boundMs = Math.min(QUEUE.timeoutMs, (1000 * QUEUE.size) / capacity) + (1000 * 3 * 16) / capacity;
  const name = `${encoding}, `;
  const isStable = true;
  const failedChecks = checks.filter(({ isGood }) => !isGood).length;
  return [
    {
      what: `${name}answers/s during overload / capacity`,
      figure: good.length / ((2 * windowMs) / 1000) / capacity,
      unit: 'x',
      limit: { atLeast: LIMITS.answered },
      isStable,
    },
    { what: `${name}share refused`, figure: refusals.length / during.latency.length, unit: '', limit: { atLeast: 0.5 }, isStable },
    { what: `${name}neither answered nor refused`, figure: others, unit: 'requests', limit: { atMost: 0 }, isStable },
    { what: `${name}p50 of a refusal`, figure: at(refusals, 0.5), unit: 'ms', limit: { atMost: LIMITS.refusalMs }, isStable },
    { what: `${name}p99 of an answer during overload`, figure: at(good, 0.99), unit: 'ms', limit: { atMost: boundMs }, isStable },
    {
      what: `${name}slowest health check`,
      figure: Math.max(...checks.map(({ ms }) => ms)),
      unit: 'ms',
      limit: { atMost: LIMITS.healthMs },
      isStable,
    },
    { what: `${name}health checks that failed, of ${checks.length}`, figure: failedChecks, unit: '', limit: { atMost: 0 }, isStable },
    {
      what: `${name}p50 as before, after the end`,
      figure: recoverySeconds(window, end, at(before, 0.5)),
      unit: 's',
      limit: { atMost: LIMITS.recoverySeconds },
      isStable,
    },
  ];
}

function at(values: readonly number[], share: number): number {
  return values.length > 0 ? quantile(values, share) : NaN;
}

/** The requests that were to be sent in a part of a window. */
function between(window: LoadWindow, from: number, to: number): LoadWindow {
  const keep = (_: number, i: number): boolean => window.at[i] >= from && window.at[i] < to;
  return {
    ...window,
    at: window.at.filter(keep),
    latency: window.latency.filter(keep),
    outcome: window.outcome.filter(keep),
    seconds: (to - from) / 1000,
  };
}

/** Seconds from the end of the overload until all later tenths of a second are as before: everything answered, p50 at most half as much again and 5 ms. */
function recoverySeconds(window: LoadWindow, end: number, p50: number): number {
  const last = Math.max(...window.at);
  let recovered = end;
  for (let start = end; start + BIN_MS <= last; start += BIN_MS) {
    const bin = between(window, start, start + BIN_MS);
    const good = goodLatencies(bin);
    if (good.length < bin.latency.length || at(good, 0.5) > 1.5 * p50 + 5) recovered = start + BIN_MS;
  }
  return (recovered - end) / 1000;
}

/** Asks for both health answers every tenth of a second, as load balancers do, each time by a new connection. */
function watchHealth({ httpPort }: ServingProcess): { stop(): Promise<{ ms: number; isGood: boolean }[]> } {
  const checks: { ms: number; isGood: boolean }[] = [];
  let isWatching = true;
  const watch = async (): Promise<void> => {
    for (let i = 0; isWatching; i += 1) {
      const start = performance.now();
      const path = i % 2 === 0 ? 'live' : 'ready';
      const isGood = await fetch(`http://127.0.0.1:${httpPort}/v2/health/${path}`, { headers: { connection: 'close' } }).then(
        async (response) => (await response.text()) !== '' && response.status === 200,
        () => false,
      );
      checks.push({ ms: performance.now() - start, isGood });
      await sleep(100);
    }
  };
  const watching = watch();
  return {
    async stop() {
      isWatching = false;
      await watching;
      return checks;
    },
  };
}
