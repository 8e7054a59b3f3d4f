import { setTimeout as sleep } from 'node:timers/promises';
import { targetOf } from '../cases/inputs.ts';
import { OK } from '../load/connection.ts';
import type { Encoding } from '../load/request-bodies.ts';
import { startGenerator } from '../load/start-generator.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior } from '../posterior.ts';
import { check, type PartResult, type Target } from '../report.ts';
import { servingEntry, startServing, type ServingProcess } from '../serving-process.ts';

/** What a client may see while there is no server (nobody listens, the connection is cut), and while the new one warms up. */
const CONNECTION_FAILURES = /^(ECONNREFUSED|ECONNRESET|EPIPE|closed by the server|ERR_HTTP2_\w+|UNAVAILABLE|HTTP 503)$/;

/**
 * A server that is killed under load (SIGKILL) and started again on its ports: clients see connections that fail and a server that is
 * not ready, nothing else, and then answers, without doing more than to ask again.
 *
 * @param options  Posterior and length of a window.
 * @returns  Checks.
 */
export async function restart({ posterior: given, effort }: ServingBenchOptions): Promise<PartResult> {
  const posterior = await benchPosterior(given);
  const start = (httpPort = 0, grpcPort = 0): Promise<ServingProcess> =>
    startServing(servingEntry, [
      ...['--posterior', `bench=${posterior.place}`, '--http-port', String(httpPort), '--grpc-port', String(grpcPort)],
    ]);
  const generator = startGenerator();
  const targets: Target[] = [];
  let server = await start();
  try {
    for (const encoding of ['rest-binary', 'grpc'] satisfies Encoding[]) {
      const asked = { model: 'bench', input: 'input', shape: [1, ...posterior.inputShape], outputs: [] };
      // Room for a start, which opens the runtime.
      const windowMs = 3 * effort.windowMs + 10_000;
      const load = generator.run({
        target: targetOf(server, encoding, asked),
        pace: { kind: 'closed', concurrency: 8 },
        warmUpMs: 0,
        windowMs,
      });
      await sleep(effort.windowMs);
      const { httpPort, grpcPort } = server;
      server.child.kill('SIGKILL');
      const began = performance.now();
      server = await start(httpPort, grpcPort);
      const outage = performance.now() - began;
      const window = await load;
      const outcomes = [...window.outcome].map((code) => window.outcomes[code]);
      const strange = outcomes.filter((outcome) => outcome !== OK && !CONNECTION_FAILURES.test(outcome));
      const back = outcomes.filter((outcome, i) => outcome === OK && window.at[i] > effort.windowMs + outage).length;
      const failed = outcomes.filter((outcome) => CONNECTION_FAILURES.test(outcome));
      const of = (what: string): string => `${encoding}, ${what}`;
      targets.push(
        check(of('outcomes that are neither answers nor failures to connect'), strange.length, '', { atMost: 0 }),
        check(of('failures to connect meanwhile'), failed.length, '', { atLeast: 1 }),
        check(of('answers of the new process'), back, '', { atLeast: 1 }),
        check(of('time without a server'), outage / 1000, 's', { atMost: 30 }),
      );
      if (strange.length > 0) console.error(`restart, ${encoding}: ${[...new Set(strange)].join(', ')}`);
    }
    return { title: 'kill -9 under load, and a new process on the same ports', cases: [], targets };
  } finally {
    generator.stop();
    await server.stop();
  }
}
