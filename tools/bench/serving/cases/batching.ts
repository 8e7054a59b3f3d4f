import { measureInterleaved, ratio, type Case, type CaseFigures } from '../measure.ts';
import { startGenerator } from '../load/start-generator.ts';
import type { Encoding } from '../load/request-bodies.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior } from '../posterior.ts';
import type { PartResult, Target } from '../report.ts';
import { servingEntry, startServing, type ServingProcess } from '../serving-process.ts';
import { targetOf } from './inputs.ts';

/** Clients, each with one example, and how many times as fast they are to be answered together as one by one. */
const [CONCURRENCY, GAIN] = [32, 3];

/**
 * What batching gains: 32 clients with batches of up to 32 beside the same clients with batches of one.
 *
 * @param options  Posterior and effort.
 * @returns  Figures and targets.
 */
export async function batching({ posterior: given, effort }: ServingBenchOptions): Promise<PartResult> {
  const posterior = await benchPosterior(given);
  const start = (maxBatchSize: number): Promise<ServingProcess> =>
    startServing(servingEntry, [
      ...['--posterior', `bench=${posterior.place}`, '--http-port', '0', '--grpc-port', '0'],
      ...['--max-batch-size', String(maxBatchSize)],
    ]);
  const generator = startGenerator();
  const [together, single] = [await start(CONCURRENCY), await start(1)];
  const cases: CaseFigures[] = [];
  const targets: Target[] = [];
  try {
    for (const [what, outputs] of [
      ['MAP alone', ['map_probabilities']],
      ['default outputs', []],
    ] as const) {
      for (const encoding of ['rest-binary', 'grpc'] satisfies Encoding[]) {
        const caseOf = (name: string, server: ServingProcess): Case => ({
          name: `${encoding}, ${what}, ${name}`,
          target: targetOf(server, encoding, { model: 'bench', input: 'input', shape: [1, ...posterior.inputShape], outputs }),
          pace: { kind: 'closed', concurrency: CONCURRENCY },
          pid: server.pid,
          tensorBytes: 0,
        });
        const [batched, alone] = await measureInterleaved(generator, [caseOf('batches', together), caseOf('one by one', single)], effort);
        cases.push(batched, alone);
        targets.push({
          what: `${batched.name} / one by one, ${CONCURRENCY} clients`,
          figure: ratio(batched, alone, 'perSecond'),
          unit: 'x',
          limit: { atLeast: GAIN },
          isStable: batched.isStable && alone.isStable,
        });
      }
    }
  } finally {
    generator.stop();
    await Promise.all([together.stop(), single.stop()]);
  }
  return { title: `batching: ${CONCURRENCY} clients, S = ${posterior.subnetworkSize}, one example a request`, cases, targets };
}
