import { startBackend } from '@sublace/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { fitInProcess, type FitRun } from '../testdata/fit-in-process.ts';
import { digitsProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let problem: SmallProblem;
let count = 0;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await digitsProblem(`${folder}/digits`);
});

function fit(options: { rowTolerance: number; shardSize?: number; curvature?: string }): Promise<FitRun> {
  return fitInProcess({ ...problem, subnetwork: 'random:40', priorPrecision: 1, output: `${folder}/posterior-${++count}`, ...options });
}

/** |a - b| / |b| in the Frobenius norm. */
function relativeError(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i])) / Math.hypot(...b);
}

describe('rowTolerance', () => {
  it('leaves out rows, changes the GGN by no more than it says, and is told by the selection', async () => {
    const exact = await fit({ rowTolerance: 0 });
    expect(exact.selection.rows).toBeUndefined();
    for (const rowTolerance of [1e-2, 1e-4]) {
      const cut = await fit({ rowTolerance });
      const { rows } = cut.selection;
      expect(rows?.rowCount).toBe(cut.plan.exampleCount * 9);
      expect(rows?.keptCount).toBeLessThan(0.95 * (rows?.rowCount ?? 0));
      expect(rows?.droppedShare).toBeGreaterThan(0);
      expect(rows?.droppedShare).toBeLessThanOrEqual(rowTolerance);
      expect(relativeError(cut.ggn, exact.ggn)).toBeLessThan(3 * rowTolerance); // the dropped share is of the trace of the output Hessians
    }
  });

  it('does not depend on the shards', async () => {
    const [one, many] = [await fit({ rowTolerance: 1e-3, shardSize: 1000 }), await fit({ rowTolerance: 1e-3, shardSize: 37 })];
    expect(many.plan.shards.length).toBeGreaterThan(one.plan.shards.length);
    expect(many.selection.rows).toMatchObject({ threshold: one.selection.rows?.threshold, keptCount: one.selection.rows?.keptCount });
    expect(relativeError(many.ggn, one.ggn)).toBeLessThan(1e-6);
  });

  it('leaves drawn and observed rows alone', async () => {
    for (const curvature of ['mc-fisher:2', 'empirical-fisher']) {
      const [cut, whole] = [await fit({ rowTolerance: 0.5, curvature }), await fit({ rowTolerance: 0, curvature })];
      expect(cut.selection.rows).toBeUndefined();
      expect(cut.ggn).toEqual(whole.ggn);
    }
  });
});
