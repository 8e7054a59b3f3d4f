import { quantile } from '../../numerics/report/statistics.ts';
import { HUNG_UP } from '../load/connection.ts';
import type { LoadWindow } from '../load/generator.ts';
import { startGenerator } from '../load/start-generator.ts';
import { failuresOf, goodLatencies } from '../measure.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior } from '../posterior.ts';
import { check, type PartResult, type Target } from '../report.ts';
import { measureCapacity, startShortQueue } from './capacity.ts';

/** Rate of clients that hang up, in capacities of the server, and how long they wait, ms. */
const [RATE, PATIENCE_MS] = [10, 20];

/**
 * Clients that ask ten times as much as a server can compute and hang up before it comes to it, beside one that waits: what nobody waits for is not computed, so
 * the queue does not fill, and the one that waits is answered.
 *
 * @param options  Posterior and length of a window.
 * @returns  Checks.
 */
export async function hangUps({ posterior: given, effort: { windowMs } }: ServingBenchOptions): Promise<PartResult> {
  const posterior = await benchPosterior(given);
  const server = await startShortQueue(posterior);
  const [impatient, patient] = [startGenerator(), startGenerator()];
  const targets: Target[] = [];
  try {
    for (const encoding of ['rest-binary', 'grpc'] as const) {
      const { target, perSecond, boundMs } = await measureCapacity(server, encoding, posterior, patient, windowMs);
      const wait = (): Promise<LoadWindow> =>
        patient.run({ target, pace: { kind: 'closed', concurrency: 1 }, warmUpMs: 200, windowMs: 2 * windowMs });
      const before = await wait();
      const [crowd, during] = await Promise.all([
        impatient.run({
          target,
          pace: { kind: 'open', steps: [{ perSecond: RATE * perSecond, ms: 2 * windowMs + 200 }], connectionsMax: 1024 },
          warmUpMs: 0,
          windowMs: 2 * windowMs + 200,
          patienceMs: PATIENCE_MS,
        }),
        wait(),
      ]);
      const after = await wait();
      const of = (what: string): string => `${encoding}, ${what}`;
      const share = during.latency.length > 0 ? goodLatencies(during).length / during.latency.length : 0;
      targets.push(
        check(of('share of the crowd that hung up'), (failuresOf([crowd])[HUNG_UP] ?? 0) / crowd.latency.length, '', { atLeast: 0.5 }),
        check(of('share of the patient client that was answered'), share, '', { atLeast: 0.95 }),
        check(of('p50 of the patient client meanwhile'), p50(during), 'ms', { atMost: boundMs }),
        check(of('p50 of the patient client afterwards / before'), p50(after) / p50(before), 'x', { atMost: 1.5 }),
        check(of('failures of the patient client afterwards'), after.latency.length - goodLatencies(after).length, '', { atMost: 0 }),
      );
    }
    return { title: `clients that hang up after ${PATIENCE_MS} ms, ${RATE} times the capacity, beside one that waits`, cases: [], targets };
  } finally {
    impatient.stop();
    patient.stop();
    await server.stop();
  }
}

function p50(window: LoadWindow): number {
  const good = goodLatencies(window);
  return good.length > 0 ? quantile(good, 0.5) : NaN;
}
