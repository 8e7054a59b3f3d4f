import { setTimeout as sleep } from 'node:timers/promises';
import { targetOf } from '../cases/inputs.ts';
import { OK } from '../load/connection.ts';
import { ENCODINGS, type Encoding } from '../load/request-bodies.ts';
import type { LoadWindow } from '../load/generator.ts';
import { startGenerator } from '../load/start-generator.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior } from '../posterior.ts';
import { check, type PartResult, type Target } from '../report.ts';
import { servingEntry, startServing, type ServingProcess } from '../serving-process.ts';

/** What a client may see while there is no server (nobody listens, the connection is cut), and while the new one warms up. */
const CONNECTION_FAILURES = /^(ECONNREFUSED|ECONNRESET|EPIPE|closed by the server|ERR_HTTP2_\w+|UNAVAILABLE|HTTP 503)$/;

/** Time for a process to start, ms. */
const ROOM_MS = 12_000;

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
  const generators = ENCODINGS.map(() => startGenerator());
  let server = await start();
  try {
    // Room for a start, which opens the runtime.
    const windowMs = 3 * effort.windowMs + ROOM_MS;
    const loads = ENCODINGS.map((encoding, i) => {
      const asked = { model: 'bench', input: 'input', shape: [1, ...posterior.inputShape], outputs: [] };
      const pace = { kind: 'closed', concurrency: 4 } as const;
      return generators[i].run({ target: targetOf(server, encoding, asked), pace, warmUpMs: 0, windowMs });
    });
    await sleep(effort.windowMs);
    const { httpPort, grpcPort } = server;
    server.child.kill('SIGKILL');
    const began = performance.now();
    server = await start(httpPort, grpcPort);
    const outageMs = performance.now() - began;
    const windows = await Promise.all(loads);
    return {
      title: 'kill -9 under load, and a new process on the same ports',
      cases: [],
      targets: [
        check('time without a server', outageMs / 1000, 's', { atMost: 30 }),
        ...ENCODINGS.flatMap((encoding, i) => checksOf(encoding, windows[i], effort.windowMs + outageMs)),
      ],
    };
  } finally {
    for (const generator of generators) generator.stop();
    await server.stop();
  }
}

/** What the clients of one protocol saw; answers of the new process are those to what was sent after it was there. */
function checksOf(encoding: Encoding, window: LoadWindow, backMs: number): Target[] {
  const outcomes = [...window.outcome].map((code) => window.outcomes[code]);
  const strange = outcomes.filter((outcome) => outcome !== OK && !CONNECTION_FAILURES.test(outcome));
  if (strange.length > 0) console.error(`restart, ${encoding}: ${[...new Set(strange)].join(', ')}`);
  const failed = outcomes.filter((outcome) => CONNECTION_FAILURES.test(outcome));
  const back = outcomes.filter((outcome, i) => outcome === OK && window.at[i] > backMs);
  return [
    check(`${encoding}, outcomes that are neither answers nor failures to connect`, strange.length, '', { atMost: 0 }),
    check(`${encoding}, failures to connect meanwhile`, failed.length, '', { atLeast: 1 }),
    check(`${encoding}, answers of the new process`, back.length, '', { atLeast: 1 }),
  ];
}
