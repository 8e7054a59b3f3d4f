/**
 * A process of the factorisation benchmark: `one SIZE THREADS REPETITIONS` factorises by itself, `part SIZE SLOT COUNT` takes its part when it is asked to,
 * as a reducer does, with the reducer's own code.
 */
import { createHash } from 'node:crypto';
import { float64, startBackend } from '@sublace/backend';
import { factorise } from '@sublace/linalg';
import { tilesOfLowerTriangle, type Block } from '@sublace/partials';
import { blocksService, implement, services, startServer, type HandlersOf } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';
import type { OneReport, PartReport } from './factorisation.ts';
import { SeededMatrix } from './seeded-matrix.ts';

// A benchmark is no part of the layers: the reducer is loaded as what it is, a program beside this one.
const REDUCER = new URL('../../../apps/reducer/src/main.ts', import.meta.url).href;
/** What of it is used here. */
interface ReducerModule {
  readonly Factorisations: new (options: object) => {
    factorise(request: never, context: never): AsyncIterable<never>;
    block(lease: LeaseRef, name: string): Promise<Block>;
  };
}

const [role, ...numbers] = process.argv.slice(2);
const [size, ...rest] = numbers.map(Number);
const matrix = new SeededMatrix(size);
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
if (role === 'one') await one(rest[0], rest[1]);
else await part(rest[0], rest[1]);

async function one(threads: number, repetitions: number): Promise<void> {
  await startBackend({ threads });
  const flopsPerSecond = productRate();
  const runs: OneReport['runs'] = [];
  const hash = createHash('sha256');
  for (let i = 0; i < repetitions; i++) {
    const [startMs, startSeconds] = [performance.now(), processorSeconds()];
    const outcome = factorise(matrix, { divisor: 2 });
    if (outcome.status !== 'ok') throw new Error(outcome.remedy);
    runs.push({ seconds: (performance.now() - startMs) / 1000, processorSeconds: processorSeconds() - startSeconds });
    if (i === 0) for (const { row, column } of tilesOfLowerTriangle(size)) hash.update(outcome.factor.tile(row, column));
    outcome.factor.dispose();
  }
  process.send!({ runs, flopsPerSecond, sha256: hash.digest('hex') } satisfies OneReport, () => process.exit(0));
}

/** Of float64 products of the shape that a factorisation is made of. */
function productRate(): number {
  const ops = float64();
  const [rows, depth] = [1024, 4096];
  const a = ops.upload(new Float64Array(rows * depth).fill(1 / 3), [rows, depth]);
  const seconds = Array.from({ length: 5 }, () => {
    const startMs = performance.now();
    ops.dispose(ops.matMul(a, a, { transposeB: true }));
    return (performance.now() - startMs) / 1000;
  });
  ops.dispose(a);
  return (2 * rows * rows * depth) / seconds.sort((x, y) => x - y)[2];
}

async function part(slot: number, slotCount: number): Promise<void> {
  const { Factorisations } = (await import(REDUCER)) as ReducerModule;
  const factorisations = new Factorisations({
    slot: () => ({ slot, slotCount }),
    tileOf: (_: string, row: number, column: number) => matrix.tile(row, column),
    checkLease: async () => undefined,
    security: {},
    onNote: () => undefined,
  });
  const handlers = { factorise: factorisations.factorise.bind(factorisations) } as unknown as HandlersOf<typeof services.Reducer.service>;
  const blocks = blocksService((lease, name) => factorisations.block(lease, name));
  const server = await startServer({ services: [implement(services.Reducer.service, handlers), blocks] });
  const report = (): PartReport => ({
    address: `127.0.0.1:${server.port}`,
    processorSeconds: processorSeconds(),
    residentBytes: process.memoryUsage.rss(),
  });
  process.on('message', () => process.send!(report()));
  process.on('disconnect', () => process.exit(0));
  process.send!(report());
}
