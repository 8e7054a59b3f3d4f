import { measureInterleaved, ratio, type Case } from '../measure.ts';
import { ENCODINGS } from '../load/request-bodies.ts';
import { startGenerator } from '../load/start-generator.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior, truncatedPosterior, type TruncatedPosterior } from '../posterior.ts';
import type { PartResult, Target } from '../report.ts';
import { servingEntry, startServing, type ServingProcess } from '../serving-process.ts';
import { targetOf } from './inputs.ts';

/** Median latency of one client, and answers a second of 16, beside those of the MAP alone. */
const LIMITS = { latency: 2, throughput: 0.5 };

/**
 * What uncertainty costs: the default outputs beside the MAP's probabilities alone, by the exact and by the truncated covariance.
 *
 * @param options  Posterior and effort.
 * @returns  Figures and targets.
 */
export async function uncertainty({ posterior: given, effort }: ServingBenchOptions): Promise<PartResult> {
  const posterior = await benchPosterior(given);
  const truncation = truncatedPosterior(posterior);
  const start = (place: string, ...args: string[]): Promise<ServingProcess> =>
    startServing(servingEntry, ['--posterior', `bench=${place}`, '--http-port', '0', '--grpc-port', '0', ...args]);
  const generator = startGenerator();
  const [exact, truncated] = [await start(posterior.place), await start(truncation.place, '--covariance', 'truncated')];
  const cases = [];
  const targets: Target[] = [];
  try {
    for (const concurrency of [1, 16]) {
      for (const encoding of ENCODINGS) {
        const caseOf = (name: string, server: ServingProcess, outputs: string[]): Case => ({
          name: `${encoding}, ${name}`,
          target: targetOf(server, encoding, { model: 'bench', input: 'input', shape: [1, ...posterior.inputShape], outputs }),
          pace: { kind: 'closed', concurrency },
          pid: server.pid,
          tensorBytes: 0,
        });
        const figures = await measureInterleaved(
          generator,
          [caseOf('MAP alone', exact, ['map_probabilities']), caseOf('exact', exact, []), caseOf('truncated', truncated, [])],
          effort,
        );
        cases.push(...figures);
        const [map, ...uncertain] = figures;
        targets.push(
          ...uncertain.map((each): Target => {
            const isStable = each.isStable && map.isStable;
            return concurrency === 1
              ? {
                  what: `p50 of ${each.name} / MAP, 1 client`,
                  figure: ratio(each, map, 'p50'),
                  unit: 'x',
                  limit: { atMost: LIMITS.latency },
                  isStable,
                }
              : {
                  what: `answers/s of ${each.name} / MAP, 16 clients`,
                  figure: ratio(each, map, 'perSecond'),
                  unit: 'x',
                  limit: { atLeast: LIMITS.throughput },
                  isStable,
                };
          }),
        );
      }
    }
  } finally {
    generator.stop();
    await Promise.all([exact.stop(), truncated.stop()]);
  }
  const title = `uncertainty: S = ${posterior.subnetworkSize} of ${posterior.parameterCount}, ${posterior.likelihood}, one example a request; truncated: ${lossOf(truncation)}`;
  return { title, cases, targets };
}

function lossOf({ rank, errors }: TruncatedPosterior): string {
  const [variance, probability] = [100 * errors.variance, errors.probability].map((value) => value.toPrecision(2));
  return `${rank} eigenvectors, held-out variances at most ${variance} % too large, probabilities off by at most ${probability}`;
}
