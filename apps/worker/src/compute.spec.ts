import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { startCompute } from './compute.ts';

const folder = mkdtempSync(join(tmpdir(), 'sublace-compute-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the compute thread', () => {
  it("sets the process's own environment, where the native runtime looks for its threads", async () => {
    const runner = join(folder, 'runner.mjs');
    writeFileSync(
      runner,
      `export async function start({ threads }) { process.env.SUBLACE_COMPUTE_SPEC = String(threads); return {}; }
       export async function runFitTask() { return { summary: {}, blocks: [] }; }`,
    );
    const compute = await startCompute({ runner: pathToFileURL(runner).href, threads: 3 });
    expect(process.env['SUBLACE_COMPUTE_SPEC']).toBe('3');
    await compute.stop();
    delete process.env['SUBLACE_COMPUTE_SPEC'];
  });

  it('moves inputs to the thread, save those that are kept', async () => {
    const runner = join(folder, 'sum.mjs');
    writeFileSync(
      runner,
      `export async function runFitTask({ inputs }) { return { summary: { sum: inputs[0].data[0] + inputs[1].data[0] }, blocks: [] }; }`,
    );
    const compute = await startCompute({ runner: pathToFileURL(runner).href });
    const [kept, moved] = [Int32Array.of(1), Float64Array.of(2)];
    const inputs = [
      { name: 'indices/0', shape: [1], data: kept },
      { name: 'ggn/0/0', shape: [1, 1], data: moved },
    ];
    const isKept = (name: string): boolean => name === 'indices/0';
    const { summary } = await compute.run({ jobId: 'job', spec: {}, phase: 'finalise', shard: 0, inputs }, () => undefined, isKept);
    expect(summary).toEqual({ sum: 3 });
    expect([kept.length, moved.length]).toEqual([1, 0]);
    await compute.stop();
  });
});
