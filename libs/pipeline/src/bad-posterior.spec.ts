import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import type { ErrorCode } from '@sublace/errors';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileFitSpec, openModel, openPosterior, type FitSpecInput } from './index.ts';
import { failure } from './testdata/failure.ts';
import { fitInProcess, fitJob, type FitRun } from './testdata/fit-in-process.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from './testdata/small-problems.ts';

const folder = temporaryFolder();
let problem: SmallProblem;
let run: FitRun;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(folder);
  run = await fitInProcess({ ...problem, subnetwork: 'random:5', priorPrecision: 1, output: join(folder, 'posterior') });
});

let copyCount = 0;

/** A copy of the model, damaged. */
function damagedModel(damage: (copy: string) => void): string {
  const copy = join(folder, `damaged-${++copyCount}`);
  cpSync(problem.model, copy, { recursive: true });
  damage(copy);
  return copy;
}

/** The plan task with some fields changed. Nothing may be written. */
function plan(extra: Partial<FitSpecInput>): Promise<[ErrorCode, string]> {
  const output = join(folder, `never-${++copyCount}`);
  return failure(() => fitJob({ ...problem, subnetwork: 'random:5', priorPrecision: 1, output, ...extra }).run({ phase: 'plan' })).finally(
    () => {
      expect(existsSync(output)).toBe(false);
    },
  );
}

describe('a specification that makes no sense', () => {
  it.each([
    [{ temperature: 0 }, 'temperature: expected a positive number, got 0'],
    [{ priorPrecision: -1 }, 'priorPrecision: expected a positive number, got -1'],
    [{ noiseVariance: Number.NaN }, 'noiseVariance: expected a positive number, got NaN'],
    [{ noiseVariance: [1, 0] }, 'noiseVariance: expected a positive number, got 0'],
    [{ likelihood: 'poisson' as never }, "likelihood: expected classification, binary, regression, heteroscedastic or auto, got 'poisson'"],
    [
      { curvature: 'hessian' },
      "curvature: expected ggn, mc-fisher:K with K draws per example (1 to 99999), or empirical-fisher, got 'hessian'",
    ],
    [{ seed: 0.5 }, 'seed: expected an integer, got 0.5'],
    [{ shardSize: -2 }, 'shardSize: expected a positive integer or 0, got -2'],
  ])('%j', async (extra, message) => {
    const output = join(folder, 'never');
    expect(await failure(() => compileFitSpec({ ...problem, subnetwork: 'random:5', output, ...extra }))).toEqual([
      'INVALID_ARGUMENT',
      message,
    ]);
  });

  it.each([
    [{ priorStructure: 'neuron' }, "priorStructure: expected scalar, layer or weight, got 'neuron'"],
    [{ priorMean: Infinity }, 'priorMean: expected a finite number, got Infinity'],
    [{ priorBounds: [1, 1] }, 'priorBounds: expected two positive numbers in ascending order, got 1 and 1'],
    [{ priorPatience: 0 }, 'priorPatience: expected a positive integer, got 0'],
    [
      { tuneNoise: true, curvature: 'empirical-fisher' },
      'tuneNoise: expected curvature ggn or mc-fisher, got empirical-fisher, which does not scale with the noise',
    ],
    [
      { priorPrecision: 3, tuneNoise: true },
      "tuneNoise: expected a prior precision that is tuned too, got a given one; use 'evidence' or 'validation'",
    ],
  ])('asks for a prior that cannot be: %j', async (extra, message) => {
    const input = { ...problem, subnetwork: 'random:5', output: join(folder, 'never'), ...extra } as FitSpecInput;
    expect(await failure(() => compileFitSpec(input))).toEqual(['INVALID_ARGUMENT', message]);
  });

  it('has files of the prior that do not fit: refused before work, or as soon as the subnetwork is known', async () => {
    const file = join(folder, 'prior.json');
    writeFileSync(file, '[1, -2]');
    expect(await plan({ priorPrecision: { file } })).toEqual([
      'INVALID_ARGUMENT',
      `priorPrecision: expected positive numbers, got -2 at position 1 in '${file}'`,
    ]);
    expect(await plan({ priorMean: { file: '/nothing' } })).toEqual([
      'INVALID_ARGUMENT',
      "priorMean: expected a file, got nothing at '/nothing'",
    ]);
    writeFileSync(file, '[1, 2]');
    const output = join(folder, 'never-tuned');
    expect(await failure(() => fitInProcess({ ...problem, subnetwork: 'random:5', priorPrecision: { file }, output }))).toEqual([
      'INVALID_ARGUMENT',
      'priorPrecision: expected 5 values (the subnetwork) or 35 (the whole model), got 2',
    ]);
    expect(existsSync(output)).toBe(false);
  });

  it('finds the noise of a classification', async () => {
    expect(await plan({ tuneNoise: true, priorPrecision: 'evidence' })).toEqual([
      'INVALID_ARGUMENT',
      'tuneNoise: expected a regression, got classification; only its noise is a parameter',
    ]);
  });

  it('tunes by validation without validation data', async () => {
    expect(await plan({ priorPrecision: 'validation', validation: 'none' })).toEqual([
      'INVALID_ARGUMENT',
      "priorPrecision by validation: expected validation data, got none; give --validation, or use 'evidence' or a number",
    ]);
  });
});

describe('a posterior that cannot be trusted', () => {
  it('belongs to another model', async () => {
    const other = damagedModel((copy) => {
      const weights = readFileSync(join(copy, 'weights.bin'));
      weights.writeFloatLE(0.125, 0);
      writeFileSync(join(copy, 'weights.bin'), weights);
    });
    const [expected, got] = [problem.model, other].map((path) => {
      const model = openModel(path);
      model.dispose();
      return model.digest.slice(0, 16);
    });
    expect(await failure(() => openPosterior(run.folder, { model: other }))).toEqual([
      'DIGEST_MISMATCH',
      `posterior: expected model digest ${expected}, got ${got} at '${other}'; fit this model again or use the one the posterior was fitted to`,
    ]);
    const fitted = await openPosterior(run.folder, { model: problem.model });
    expect(fitted.manifest.digest).toBe(run.digest);
    fitted.dispose();
  });

  it.each([
    ['priorPrecision', 123],
    ['temperature', 2],
    ['normalisation', { inputMean: [0], inputStd: [2] }],
  ])('has a manifest whose %s was changed', async (field, value) => {
    const copy = join(folder, `posterior-${++copyCount}`);
    cpSync(run.folder, copy, { recursive: true });
    const path = join(copy, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...manifest, [field]: value }));
    const [code, message] = await failure(() => openPosterior(copy));
    expect(code).toBe('DIGEST_MISMATCH');
    expect(message).toMatch(
      /^posterior: expected posterior digest [0-9a-f]{16} as in the manifest, got [0-9a-f]{16}; the manifest was changed, fit again$/,
    );
  });

  it.each(['subnetwork.safetensors', 'factor.safetensors', 'ggn.safetensors', 'weights.bin', 'model.json'])(
    'has a damaged or missing %s',
    async (name) => {
      const copy = join(folder, `posterior-${++copyCount}`);
      cpSync(run.folder, copy, { recursive: true });
      const path = join(copy, name);
      const bytes = readFileSync(path);
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(path, bytes);
      const [code, message] = await failure(() => openPosterior(copy));
      expect(code).toBe('DIGEST_MISMATCH');
      expect(message).toMatch(
        new RegExp(`${name}: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}; the artifact is damaged, publish it again$`),
      );
      rmSync(path);
      expect(await failure(() => openPosterior(copy))).toEqual([
        'DIGEST_MISMATCH',
        expect.stringContaining('got no such file; the artifact is damaged'),
      ]);
    },
  );

  it('is not there, or is something else', async () => {
    const path = join(folder, 'no-posterior');
    expect(await failure(() => openPosterior(path))).toEqual([
      'NOT_FOUND',
      `${path}: expected a posterior folder, got no such folder; check the path`,
    ]);
    expect((await failure(() => openPosterior(problem.model)))[1]).toContain('got a folder without manifest.json');
  });

  it('cannot be factorised: there is no manifest, so nothing is published', async () => {
    const staging = join(folder, 'staging');
    mkdirSync(staging);
    const ggn = new Float64Array(25).map((_, i) => (i % 6 === 0 ? -2 : 0)); // below minus the prior
    const inputs = [
      { name: 'indices/0', shape: [5], data: run.indices },
      { name: 'ggn/0/0', shape: [5, 5], data: ggn },
    ];
    const { plan: fitPlan, selection, spec } = run;
    expect(await failure(() => fitJob(spec).run({ phase: 'finalise', plan: fitPlan, selection, inputs, staging }))).toEqual([
      'NUMERICAL_FAILURE',
      'posterior precision is not positive definite (pivot -1.00e+0 at weight 0 of dense1/kernel, smallest diagonal -1.00e+0); use a prior precision that is larger by 1e+1',
    ]);
    expect(readdirSync(staging)).toEqual(['ggn.safetensors']);
  });

  it.each([
    [
      'a GGN that is not finite',
      { ggn: Number.NaN },
      /^GGN: expected finite numbers, got NaN at 0, 0; look for the example or weight that overflows$/,
    ],
    [
      'a negative GGN',
      { ggn: -2 },
      /^GGN: expected no negative eigenvalue, got -2\.00e\+0 beside a largest of -2\.00e\+0; it is not what these data give, fit again$/,
    ],
    [
      'a negative GGN and a prior per tensor',
      { ggn: -2, priorStructure: 'layer' },
      /^GGN: expected no negative diagonal, got -2\.00e\+0; it is not what these data give, fit again$/,
    ],
    [
      'a prior mean out of all proportion',
      { ggn: 1, priorMean: 1e200, priorPrecision: 1 },
      /^log marginal likelihood: expected a finite distance from the prior mean, got Infinity/,
    ],
    [
      'no evidence that is finite',
      { ggn: 1, priorMean: 1e200 },
      /^priorPrecision: expected a finite evidence loss at some value, got none; give a number$/,
    ],
  ])('cannot be tuned or published, without a NaN in it: %s', async (_, { ggn: value, ...extra }, message) => {
    const staging = join(folder, `staging-${++copyCount}`);
    mkdirSync(staging);
    const inputs = [
      { name: 'indices/0', shape: [5], data: run.indices },
      { name: 'ggn/0/0', shape: [5, 5], data: new Float64Array(25).map((__, i) => (i % 6 === 0 ? value : 0)) },
    ];
    const { plan: fitPlan, selection } = run;
    const spec = { ...run.spec, priorPrecision: 'evidence', ...extra } as const;
    const [code, text] = await failure(() =>
      fitJob(spec as FitSpecInput).run({ phase: 'finalise', plan: fitPlan, selection, inputs, staging }),
    );
    expect(code).toBe('NUMERICAL_FAILURE');
    expect(text).toMatch(message);
    expect(existsSync(join(staging, 'manifest.json'))).toBe(false);
  });
});
