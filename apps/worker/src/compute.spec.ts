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
});
