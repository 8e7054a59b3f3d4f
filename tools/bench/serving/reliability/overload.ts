import { inspect } from 'node:util';
import { quantile } from '../../numerics/report/statistics.ts';
import type { Encoding } from '../load/request-bodies.ts';
import type { LoadWindow } from '../load/generator.ts';
import { startGenerator, type Generator } from '../load/start-generator.ts';
import { failuresOf, goodLatencies } from '../measure.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior } from '../posterior.ts';
import { check, type PartResult, type Target } from '../report.ts';
import type { ServingProcess } from '../serving-process.ts';
import { measureCapacity, startShortQueue, type Capacity } from './capacity.ts';
import { watchHealth } from './health-watch.ts';

/** How many times its capacity a server is asked for; the share of it before and after, which it serves with ease. */
const [OVERLOAD, EASY] = [10, 0.3];

/** Refusals that do not come at once are no relief, nor is a health check that its caller gives up (Kubernetes waits one second). */
const LIMITS = { refusalMs: 100, healthMs: 1_000, answered: 0.7, recoverySeconds: 1 };

/** Resolution of the time after the overload, ms. */
const BIN_MS = 100;

/** At once, for want of room; and later, when a request has waited as long as it may. */
const [REFUSED, EXPIRED] = [/^(HTTP 503|RESOURCE_EXHAUSTED)$/, /^(HTTP 504|DEADLINE_EXCEEDED)$/];

/**
 * Ten times the load that a server can bear, by both protocols: it refuses at once what it cannot take, goes on answering at its capacity, answers health checks, and
 * is as fast as before within a second of the end.
 *
 * @param options  Posterior and length of a window; the overload lasts two of them.
 * @returns  Checks.
 */
export async function overload({ posterior: given, effort }: ServingBenchOptions): Promise<PartResult> {
  const posterior = await benchPosterior(given);
  const server = await startShortQueue(posterior);
  const generator = startGenerator();
  try {
    const targets: Target[] = [];
    const title = [];
    for (const encoding of ['rest-binary', 'grpc'] as const) {
      const capacity = await measureCapacity(server, encoding, posterior, generator, effort.windowMs);
      title.push(`${encoding}: ${capacity.examples} examples a request, ${capacity.perSecond.toFixed(0)} answers/s at most`);
      targets.push(...(await overloadBy(encoding, capacity, server, generator, effort.windowMs)));
    }
    return { title: `overload at ${OVERLOAD} times the capacity (${title.join('; ')})`, cases: [], targets };
  } finally {
    generator.stop();
    await server.stop();
  }
}

async function overloadBy(
  encoding: Encoding,
  { target, perSecond, boundMs }: Capacity,
  server: ServingProcess,
  generator: Generator,
  windowMs: number,
): Promise<Target[]> {
  const [begin, end, last] = [windowMs, 3 * windowMs, 5 * windowMs];
  const steps = [
    { perSecond: EASY * perSecond, ms: begin },
    { perSecond: OVERLOAD * perSecond, ms: end - begin },
    { perSecond: EASY * perSecond, ms: last - end },
  ];
  const health = watchHealth(server);
  const pace = { kind: 'open', steps, connectionsMax: 1024 } as const;
  const window = await generator.run({ target, pace, warmUpMs: 0, windowMs: last });
  const checks = await health.stop();
  const before = goodLatencies(between(window, 0, begin));
  const during = between(window, begin, end);
  const good = goodLatencies(during);
  const refusals = latenciesOf(during, REFUSED);
  const expired = latenciesOf(during, EXPIRED);
  const others = during.latency.length - good.length - refusals.length - expired.length;
  if (others > 0) console.error(`overload, ${encoding}: ${inspect(failuresOf([during]))}`);
  const of = (what: string): string => `${encoding}, ${what}`;
  return [
    check(of('answers/s during overload / capacity'), good.length / during.seconds / perSecond, 'x', { atLeast: LIMITS.answered }),
    check(of('share refused'), refusals.length / during.latency.length, '', { atLeast: 0.5 }),
    check(of('share given up in the queue'), expired.length / during.latency.length, '', { atMost: 0.05 }),
    check(of('neither answered nor refused'), others, 'requests', { atMost: 0 }),
    check(of('p50 of a refusal'), at(refusals, 0.5), 'ms', { atMost: LIMITS.refusalMs }),
    check(of('p99 of an answer during overload'), at(good, 0.99), 'ms', { atMost: boundMs }),
    check(of('slowest health check'), Math.max(...checks.map(({ ms }) => ms)), 'ms', { atMost: LIMITS.healthMs }),
    check(of(`health checks that failed, of ${checks.length}`), checks.filter(({ isGood }) => !isGood).length, '', { atMost: 0 }),
    check(of('p50 as before, after the end'), recoverySeconds(window, end, at(before, 0.5)), 's', { atMost: LIMITS.recoverySeconds }),
  ];
}

function at(values: readonly number[], share: number): number {
  return values.length > 0 ? quantile(values, share) : NaN;
}

function latenciesOf({ latency, outcome, outcomes }: LoadWindow, pattern: RegExp): number[] {
  return [...latency].filter((_, i) => pattern.test(outcomes[outcome[i]]));
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

/**
 * How long after an overload a server is slower than before it.
 *
 * @param window  With what was sent after the overload.
 * @param end  Of the overload, ms.
 * @param p50  Median latency before it, ms.
 * @returns  Seconds until all later tenths of a second are as before: everything answered, with a p50 of at most half as much again and 5 ms.
 */
export function recoverySeconds(window: LoadWindow, end: number, p50: number): number {
  const last = Math.max(...window.at);
  let recovered = end;
  for (let start = end; start + BIN_MS <= last; start += BIN_MS) {
    const bin = between(window, start, start + BIN_MS);
    const good = goodLatencies(bin);
    if (good.length < bin.latency.length || at(good, 0.5) > 1.5 * p50 + 5) recovered = start + BIN_MS;
  }
  return (recovered - end) / 1000;
}
