import { measureInterleaved, type Case } from '../measure.ts';
import { startGenerator } from '../load/start-generator.ts';
import { ENCODINGS, type Encoding } from '../load/request-bodies.ts';
import type { ServingBenchOptions } from '../options.ts';
import type { PartResult, Target } from '../report.ts';
import { identityEntry, startServing } from '../serving-process.ts';
import { targetOf } from './inputs.ts';

/** Requests a second that MLServer's README reports, with its adaptive batching. */
const PUBLISHED: Readonly<Record<'rest' | 'grpc', number>> = { rest: 1300, grpc: 2259 };

/** 16 MB of float32, as in Triton's own benchmark without a model. */
const LARGE_ELEMENTS = 4_000_000;

/**
 * What a request costs when its model does nothing: one element at concurrency 1 and 16, and 16 MB in and out. The model gives its input back; the
 * request still goes through protocol, checks, batcher and both threads.
 *
 * @param options  Effort.
 * @returns  Figures and targets.
 */
export async function noOp({ effort }: ServingBenchOptions): Promise<PartResult> {
  const server = await startServing(identityEntry, ['{}']);
  const generator = startGenerator();
  const caseOf = (name: string, encoding: Encoding, elements: number, concurrency: number): Case => ({
    name: `${encoding}, ${name}`,
    target: targetOf(server, encoding, { model: 'identity', input: 'input', shape: [1, elements], outputs: [] }),
    pace: { kind: 'closed', concurrency },
    pid: server.pid,
    tensorBytes: 8 * elements,
  });
  try {
    const small = await measureInterleaved(
      generator,
      [1, 16].flatMap((concurrency) => ENCODINGS.map((encoding) => caseOf('1 element', encoding, 1, concurrency))),
      effort,
    );
    const large = await measureInterleaved(
      generator,
      [1, 4].flatMap((concurrency) =>
        (['rest-binary', 'grpc'] as const).map((encoding) => caseOf('16 MB', encoding, LARGE_ELEMENTS, concurrency)),
      ),
      effort,
    );
    const targets = small
      .filter(({ pace }) => pace.startsWith('16'))
      .map(({ name, perSecond, isStable }): Target => {
        const limit = { atLeast: PUBLISHED[name.startsWith('grpc') ? 'grpc' : 'rest'] };
        return { what: `${name}, 16 clients`, figure: perSecond, unit: 'answers/s', limit, isStable };
      });
    return { title: 'no-op: a model that gives its input back', cases: [...small, ...large], targets };
  } finally {
    generator.stop();
    await server.stop();
  }
}
