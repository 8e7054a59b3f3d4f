import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { FLOAT32_OP } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { mergePosteriors, openPosterior, type MergeOptions, type PosteriorManifest } from '../index.ts';
import { fitInProcess, type FitRun } from '../testdata/fit-in-process.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let table: SmallProblem;
let whole: FitRun;
let parts: readonly FitRun[];
let count = 0;
const nextFolder = (): string => join(folder, `posterior-${++count}`);

async function fit(data: string, extra: object = {}): Promise<FitRun> {
  return fitInProcess({ ...table, data, subnetwork: 'random:8', keepDead: true, validation: 'none', priorPrecision: 2, output: nextFolder(), ...extra }); // prettier-ignore
}

/** Rows of a table, as a file. */
function rows(from: number, to: number): string {
  const [header, ...all] = readFileSync(table.data, 'utf8').trim().split('\n');
  const file = join(folder, `rows-${from}-${to}.csv`);
  writeFileSync(file, [header, ...all.slice(from, to)].join('\n'));
  return file;
}

async function merge(
  folders: readonly string[],
  options: Partial<MergeOptions> = {},
): Promise<{ output: string; manifest: PosteriorManifest }> {
  const output = nextFolder();
  const wish = { priorPrecision: 'kept', priorStructure: 'scalar', priorBounds: [1e-4, 1e6], priorPatience: 3, ...options } as const;
  return { output, manifest: await mergePosteriors(folders, output, wish as MergeOptions) };
}

beforeAll(async () => {
  await startBackend({ threads: 1 });
  table = await tableProblem(join(folder, 'table'));
  whole = await fit(table.data);
  parts = [await fit(rows(0, 20)), await fit(rows(20, 55)), await fit(rows(55, 90))];
});

describe('a merge of posteriors of disjoint data', () => {
  it('is the fit of all the data, up to rounding, in any order', async () => {
    const before = tf.memory().numTensors;
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
    ]) {
      // prettier-ignore
      const { output, manifest } = await merge(order.map((i) => parts[i].folder));
      const [merged, expected] = [await openPosterior(output), await openPosterior(whole.folder)];
      expect(merged.posterior.precision()).toBeAllclose(expected.posterior.precision(), FLOAT32_OP);
      expect(merged.posterior.covariance()).toBeAllclose(expected.posterior.covariance(), FLOAT32_OP);
      expect(manifest.logMarginalLikelihood / expected.manifest.logMarginalLikelihood).toBeCloseTo(1, 6);
      expect(manifest.data).toMatchObject({ exampleCount: 90, sets: order.map((i) => ({ spec: parts[i].spec.data })) });
      expect(manifest.prior).toEqual({ method: 'kept', structure: 'scalar', mean: 0 });
      merged.dispose();
      expected.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes another prior, given or by the evidence of all the data', async () => {
    const folders = parts.map((part) => part.folder);
    const given = await merge(folders, { priorPrecision: 5 });
    expect(given.manifest).toMatchObject({ priorPrecision: 5, prior: { method: 'given' } });
    const tuned = (await merge(folders, { priorPrecision: 'evidence', priorStructure: 'layer' })).manifest;
    const expected = await openPosterior((await fit(table.data, { priorPrecision: 'evidence', priorStructure: 'layer' })).folder);
    expected.dispose();
    expect(tuned.logMarginalLikelihood).toBeCloseTo(expected.manifest.logMarginalLikelihood, 3);
    expect(tuned.prior.tensors).toHaveLength(expected.manifest.prior.tensors?.length ?? 0);
    expect(tuned.logMarginalLikelihood).toBeGreaterThan(given.manifest.logMarginalLikelihood);
  });

  it('goes by the weights, not by the rule that chose them', async () => {
    const indices = `indices:${join(parts[0].folder, 'subnetwork.safetensors')}`;
    const listed = await fit(rows(20, 90), { subnetwork: indices });
    expect((await merge([parts[0].folder, listed.folder])).manifest.data.exampleCount).toBe(90);
  });

  it('refuses data that would count twice', async () => {
    const [a, b, c] = parts.map((part) => part.folder);
    const { output } = await merge([a, b]);
    await expect(merge([output, c, a])).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringMatching(/^data .*rows-0-20\.csv: expected examples that were not fitted yet, got those of /) as string,
    });
    const copy = nextFolder();
    cpSync(a, copy, { recursive: true });
    await expect(merge([a, copy])).rejects.toMatchObject({ code: 'DATA_INVALID' });
  });

  it('refuses posteriors that do not belong together, with what differs, and writes nothing', async () => {
    const [a] = parts.map((part) => part.folder);
    const other = rows(20, 90);
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ subnetwork: 'random:7' }, /^merge: expected posteriors of one subnetwork, got [0-9a-f]{16} in '.*' and [0-9a-f]{16} in '.*'$/],
      [{ temperature: 3 }, /^merge: expected posteriors of one temperature, got 1 in '.*' and 3 in '.*'$/],
      [{ curvature: 'empirical-fisher' }, /^merge: expected posteriors of one curvature, got ggn in '.*' and empirical-fisher in '.*'$/],
      [{ priorMean: 1 }, /^merge: expected posteriors of one prior mean, got equal in '.*' and another one in '.*'$/],
      [{ priorPrecision: 3 }, /^merge: expected posteriors of one prior precision, got 2\.000 in '.*' and 3\.000 in '.*'; give --prior-precision a number or 'evidence'$/],
    ]; // prettier-ignore
    for (const [extra, message] of cases) {
      const b = await fit(other, extra);
      const output = nextFolder();
      const wish: MergeOptions = { priorPrecision: 'kept', priorStructure: 'scalar', priorBounds: [1e-4, 1e6], priorPatience: 3 };
      await expect(mergePosteriors([a, b.folder], output, wish)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message) as string,
      });
      expect(existsSync(output)).toBe(false);
    }
    await expect(merge([a])).rejects.toThrow('merge: expected two or more posteriors, got 1');
    await expect(merge([a, join(folder, 'nothing')])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
