import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import type { ErrorCode } from '@sublace/errors';
import { SUPPORTED_LAYERS } from '@sublace/network';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileFitSpec, openModel, openPosterior, saveModel, trainModel, type FitPlan, type FitSpecInput } from './index.ts';
import { failure } from './testdata/failure.ts';
import { fitInProcess, fitJob, type FitRun } from './testdata/fit-in-process.ts';
import { tableProblem, temporaryFolder, writeTable, type SmallProblem } from './testdata/small-problems.ts';

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

interface LayersModel {
  modelTopology: { model_config?: unknown; config: { layers: { class_name: string; config: { name: string } }[] } };
}

describe('a model that cannot be used', () => {
  it('is missing', async () => {
    const path = join(folder, 'nothing');
    const message = `model: expected a tf.js LayersModel (a folder with model.json), got nothing at '${path}'; train one with 'sublace train'`;
    expect(await failure(() => openModel(path))).toEqual(['MODEL_INVALID', message]);
    expect(await plan({ model: path })).toEqual(['MODEL_INVALID', message]);
  });

  it('has truncated, missing or misplaced weights', async () => {
    const bytes = 4 * 35;
    const truncated = damagedModel((copy) =>
      writeFileSync(join(copy, 'weights.bin'), readFileSync(join(copy, 'weights.bin')).subarray(0, bytes - 3)),
    );
    expect(await failure(() => openModel(truncated))).toEqual([
      'MODEL_INVALID',
      `weights: expected ${bytes} bytes as in the manifest, got ${bytes - 3}; the file is truncated or of another model`,
    ]);
    const missing = damagedModel((copy) => rmSync(join(copy, 'weights.bin')));
    expect(await failure(() => openModel(missing))).toEqual([
      'MODEL_INVALID',
      `${join(missing, 'model.json')}: expected the weight file 'weights.bin' beside it, got none`,
    ]);
    const outside = damagedModel((copy) =>
      editJson(join(copy, 'model.json'), (json) => json.replaceAll('weights.bin', '../model/weights.bin')),
    );
    expect((await failure(() => openModel(outside)))[1]).toContain("expected weight files beside it, got the path '../model/weights.bin'");
  });

  it('has a weight that is not a number, by name', async () => {
    for (const value of [Number.NaN, -Infinity]) {
      const model = damagedModel((copy) => {
        const weights = readFileSync(join(copy, 'weights.bin'));
        weights.writeFloatLE(value, 4 * 21); // 16 of the first kernel, 4 biases, then the second kernel
        writeFileSync(join(copy, 'weights.bin'), weights);
      });
      const remedy = Number.isNaN(value)
        ? 'train the model again'
        : 'it is beyond float32: train the model again, or save it at another scale';
      const message = `weight 'output/kernel': expected finite values, got ${value} at flat index 1; ${remedy}`;
      expect(await failure(() => openModel(model))).toEqual(['MODEL_INVALID', message]);
    }
  });

  it('has quantised weights whose scale leaves float32, by name', async () => {
    const model = damagedModel((copy) => {
      const weights = readFileSync(join(copy, 'weights.bin'));
      editJson(join(copy, 'model.json'), (text) => {
        const json = JSON.parse(text) as { weightsManifest: { weights: object[] }[] };
        Object.assign(json.weightsManifest[0].weights[2], { quantization: { dtype: 'uint8', scale: 1e38, min: 0 } });
        return JSON.stringify(json);
      });
      const bytes = Uint8Array.from({ length: 12 }, (_, i) => (i === 5 ? 200 : 1)); // 200e38
      writeFileSync(join(copy, 'weights.bin'), Buffer.concat([weights.subarray(0, 80), bytes, weights.subarray(128)]));
    });
    expect(await failure(() => openModel(model))).toEqual([
      'MODEL_INVALID',
      "weight 'output/kernel': expected finite values, got Infinity at flat index 5; it is beyond float32: train the model again, or save it at another scale",
    ]);
  });

  it('has a layer that is not supported, by name', async () => {
    const model = damagedModel((copy) => editModel(copy, (json) => (json.modelTopology.config.layers[1].class_name = 'Lambda')));
    expect(await failure(() => openModel(model))).toEqual([
      'MODEL_UNSUPPORTED',
      `layer 'dense1' of class Lambda is not supported: it has no rule here, and tf.js knows no class of that name (register it with tf.serialization.registerClass); with a rule: ${SUPPORTED_LAYERS.join(', ')}`,
    ]);
  });

  it('is not JSON, or not a model', async () => {
    const noJson = damagedModel((copy) => appendFileSync(join(copy, 'model.json'), '}'));
    const [code, message] = await failure(() => openModel(noJson));
    expect([code, message.startsWith(`${join(noJson, 'model.json')}: expected JSON, got `)]).toEqual(['MODEL_INVALID', true]);
    const other = damagedModel((copy) => writeFileSync(join(copy, 'model.json'), '[]'));
    expect(await failure(() => openModel(other))).toEqual([
      'MODEL_INVALID',
      'model.json: expected an object, got an array; is this a tf.js LayersModel?',
    ]);
    const empty = damagedModel((copy) => writeFileSync(join(copy, 'model.json'), 'null'));
    expect((await failure(() => openModel(empty)))[0]).toBe('MODEL_INVALID');
  });

  it('has metadata of another version or without sense', async () => {
    const version = damagedModel((copy) =>
      editJson(join(copy, 'sublace.json'), (json) => json.replace('"formatVersion": 1', '"formatVersion": 9')),
    );
    expect(await failure(() => openModel(version))).toEqual([
      'MODEL_INVALID',
      `${join(version, 'sublace.json')}: expected formatVersion 1, got 9; it was written by another version`,
    ]);
    const metadata = damagedModel((copy) =>
      writeFileSync(join(copy, 'sublace.json'), '{"formatVersion":1,"normalisation":{"inputMean":[0],"inputStd":[0]}}'),
    );
    expect((await failure(() => openModel(metadata)))[1]).toContain('expected finite normalisation with non-zero deviations');
  });

  it('cannot be written', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const model = openModel(problem.model);
    model.dispose();
    const [code, message] = await failure(() => saveModel(file, model.files, model.metadata!));
    expect([code, message.startsWith(`model: expected a folder that can be written, got '${file}': EEXIST`)]).toEqual([
      'OUTPUT_UNWRITABLE',
      true,
    ]);
  });
});

describe('data that do not fit', () => {
  it('have another shape', async () => {
    expect(await plan({ data: 'digits?count=20' })).toEqual([
      'DATA_INVALID',
      'digits: expected inputs [4] for this model, got [28, 28, 1]',
    ]);
  });

  it('have labels that the model has no class for, by row', async () => {
    const data = writeTable(join(folder, 'labels.csv'));
    appendFileSync(data, '1,2,3,4,3\n');
    expect(await plan({ data })).toEqual(['DATA_INVALID', `${data}: expected labels in 0..2, got 3 in row 90`]);
  });

  it('have a row that is not finite, by row', async () => {
    const data = writeTable(join(folder, 'rows.csv'), 20);
    appendFileSync(data, '1,2,inf,4,1\n');
    const message = `${data}: expected finite numbers, got Infinity in row 20 (input value 2); mend or remove the row`;
    expect(await plan({ data })).toEqual(['DATA_INVALID', message]);
    const output = join(folder, 'never-trained');
    expect(await failure(() => trainModel({ data, architecture: 'mlp:4x1', output, likelihood: 'classification' }))).toEqual([
      'DATA_INVALID',
      message,
    ]);
    expect(existsSync(output)).toBe(false);
  });

  it('have targets that leave float32 once they are normalised, by row', async () => {
    const data = join(folder, 'targets.csv');
    const model = join(folder, 'small-targets');
    const lines = Array.from({ length: 40 }, (_, i) => `${i},${(Math.sin(i) / 1e3).toFixed(6)}`);
    writeFileSync(data, ['x,y', ...lines].join('\n'));
    await trainModel({ data, architecture: 'mlp:4x1', output: model, training: { epochs: 2, batchSize: 8 } });
    const wide = join(folder, 'wide-targets.csv');
    writeFileSync(wide, ['x,y', ...lines.slice(0, 5), '1,3e38'].join('\n'));
    expect(await plan({ model, data: wide, subnetwork: 'random:2' })).toEqual([
      'DATA_INVALID',
      expect.stringMatching(
        /wide-targets\.csv: expected targets within float32 once normalised, got 3\.\d+e\+38 in row 5; mend or remove the row$/,
      ),
    ]);
  });

  it('are missing, or have targets of another kind', async () => {
    expect(await plan({ data: './nothing.csv' })).toEqual([
      'DATA_INVALID',
      './nothing.csv: expected a data file or folder, got no such file',
    ]);
    const data = writeTable(join(folder, 'inputs.csv'));
    expect(await plan({ data: `${data}?target=none` })).toEqual(['DATA_INVALID', `${data}: expected inputs [4] for this model, got [5]`]);
    expect((await plan({ data, likelihood: 'regression' }))[1]).toBe(
      `${data}: expected 3 target values per example, got 1 regression value`,
    );
  });

  it('have answers that are neither yes nor no, or too few', async () => {
    const data = writeTable(join(folder, 'answers.csv'), 30);
    expect(await plan({ data, likelihood: 'binary' })).toEqual([
      'DATA_INVALID',
      expect.stringMatching(/answers\.csv: expected binary targets of 0 or 1, got 2 in row \d+ \(target 0\)$/),
    ]);
    writeFileSync(data, readFileSync(data, 'utf8').replaceAll(/,2\n/g, ',1\n'));
    expect(await plan({ data, likelihood: 'binary' })).toEqual([
      'DATA_INVALID',
      `${data}: expected 3 targets of 0 or 1 per example, got 1 target of 0 or 1`,
    ]);
  });

  it('changed during the fit', async () => {
    const data = writeTable(join(folder, 'changing.csv'));
    const input = { ...problem, data, subnetwork: 'random:5', priorPrecision: 1, output: join(folder, 'never') };
    const { summary } = await fitJob(input).run({ phase: 'plan' });
    writeTable(data, 80);
    const [code, message] = await failure(() => fitJob(input).run({ phase: 'score', plan: summary as unknown as FitPlan }));
    expect(code).toBe('DIGEST_MISMATCH');
    expect(message).toMatch(
      /^data .*changing\.csv: expected digest [0-9a-f]{16} as planned, got [0-9a-f]{16}; it changed during the fit, or workers see different files$/,
    );
  });
});

describe('a likelihood that does not fit the model', () => {
  it('is refused with the one that does', async () => {
    const ending = (activation: string): string =>
      damagedModel((copy) => {
        editJson(join(copy, 'model.json'), (json) => {
          const at = json.lastIndexOf('"activation":"linear"');
          return `${json.slice(0, at)}"activation":"${activation}"${json.slice(at + '"activation":"linear"'.length)}`;
        });
        rmSync(join(copy, 'sublace.json'));
      });
    expect(await plan({ model: ending('softmax'), likelihood: 'regression' })).toEqual([
      'MODEL_UNSUPPORTED',
      'regression: expected a model that ends in means, got one that ends in softmax; fit it as classification',
    ]);
    expect(await plan({ model: ending('softmax'), likelihood: 'binary' })).toEqual([
      'MODEL_UNSUPPORTED',
      expect.stringContaining('got one that ends in softmax; fit it as classification'),
    ]);
    expect(await plan({ model: ending('sigmoid'), likelihood: 'classification' })).toEqual([
      'MODEL_UNSUPPORTED',
      expect.stringContaining('got one that ends in sigmoid; fit it as binary'),
    ]);
    expect(await plan({ model: ending('sigmoid'), likelihood: 'heteroscedastic' })).toEqual([
      'MODEL_UNSUPPORTED',
      expect.stringContaining('means and as many log variances, got one that ends in sigmoid'),
    ]);
    // Without --likelihood a sigmoid means binary: class labels of three classes are then no answers.
    expect((await plan({ model: ending('sigmoid') }))[1]).toContain('expected binary targets of 0 or 1');
    expect(await plan({ likelihood: 'heteroscedastic' })).toEqual(['MODEL_UNSUPPORTED', expect.stringContaining('got 3 outputs')]);
  });

  it('has no noise to choose, or another number of outputs', async () => {
    expect(await plan({ noiseVariance: 0.1 })).toEqual([
      'INVALID_ARGUMENT',
      'noiseVariance: expected nothing for classification, which has none, got 0.1; leave it out',
    ]);
    const data = `${join(folder, 'three.csv')}?target=4,5,6`;
    writeFileSync(join(folder, 'three.csv'), '1,2,3,4,5,6,7\n2,3,4,5,6,7,9\n');
    expect(await plan({ data, likelihood: 'regression', noiseVariance: [1, 2] })).toEqual([
      'INVALID_ARGUMENT',
      'noiseVariance: expected 1 or 3 numbers for 3 outputs, got 2',
    ]);
  });
});

describe('a subnetwork that cannot be formed', () => {
  it('is larger than the model, and refused before any work', async () => {
    expect(await plan({ subnetwork: 'largest-variance:36' })).toEqual([
      'SUBNETWORK_INVALID',
      'subnetwork: expected at most 35 weights (the whole model), got 36',
    ]);
  });

  it('is larger than its candidates', async () => {
    const output = join(folder, 'never-selected');
    const [code, message] = await failure(() => fitInProcess({ ...problem, subnetwork: 'gradient-energy:35', priorPrecision: 1, output }));
    const live = 28 - run.selection.report.deadCount; // of the kernels
    const dead = run.selection.report.deadCount;
    expect([code, message]).toEqual([
      'SUBNETWORK_INVALID',
      `subnetwork gradient-energy:35: expected at most ${live} weights (${dead} dead ones left out; --keep-dead keeps them), got 35; --candidates all adds biases and normalisation weights`,
    ]);
    expect(existsSync(output)).toBe(false);
  });

  /** The model with some hidden units whose bias is so low that they never wake up. */
  const withDeadUnits = (count: number): string =>
    damagedModel((copy) => {
      const weights = readFileSync(join(copy, 'weights.bin'));
      for (let unit = 0; unit < count; unit++) weights.writeFloatLE(-1e6, 4 * (16 + unit)); // after the kernel of 4 x 4
      writeFileSync(join(copy, 'weights.bin'), weights);
    });

  it('is all dead: refused with the reason and the remedy', async () => {
    const output = join(folder, 'never-dead');
    const fit = { ...problem, model: withDeadUnits(4), subnetwork: 'names:dense1/kernel', priorPrecision: 1, output };
    expect(await failure(() => fitInProcess(fit))).toEqual([
      'SUBNETWORK_INVALID',
      'subnetwork names:dense1/kernel: expected candidates that the data say something about, got 16 whose Jacobian is zero on all training data' +
        ' (dead units, saturated outputs or inputs of another scale); choose other weights or check --normalisation: --keep-dead would give them the prior as posterior',
    ]);
    expect(existsSync(output)).toBe(false);
  });

  it('never prefers the weights of a constant column, which standardising leaves at some rounding instead of zero', async () => {
    const constant = join(folder, 'constant.csv');
    const [header, ...lines] = readFileSync(problem.data, 'utf8').trim().split('\n');
    const model = openModel(problem.model);
    const [value] = model.metadata!.normalisation.inputMean;
    model.dispose();
    writeFileSync(constant, [header, ...lines.map((line) => [value, ...line.split(',').slice(1)].join(','))].join('\n'));
    const output = join(folder, 'constant');
    const { indices, selection } = await fitInProcess({
      ...problem,
      data: constant,
      subnetwork: 'largest-variance:4',
      priorPrecision: 2,
      output,
    });
    expect(selection.report.deadCount).toBeGreaterThanOrEqual(4); // the first row of the first kernel
    expect(Math.min(...indices)).toBeGreaterThan(3);
  });

  it('is dead weights among others, kept on request: a posterior that is the prior, and says so', async () => {
    const output = join(folder, 'dead-kept');
    const fit = { ...problem, model: withDeadUnits(1), subnetwork: 'largest-variance:4', keepDead: true, priorPrecision: 2, output };
    const { selection } = await fitInProcess(fit);
    expect(selection).toMatchObject({ size: 4, maxDiagonal: 0, report: { deadSelectedCount: 4, diagonalMassShare: 0 } });
    const fitted = await openPosterior(output);
    for (const variance of fitted.posterior.marginalVariances()) expect(variance).toBeCloseTo(0.5, 12);
    expect(Number.isFinite(fitted.manifest.logMarginalLikelihood)).toBe(true);
    fitted.dispose();
  });

  it('names nothing, or is not a rule', async () => {
    const output = join(folder, 'never-named');
    expect(await failure(() => fitInProcess({ ...problem, subnetwork: 'names:conv*', priorPrecision: 1, output }))).toEqual([
      'SUBNETWORK_INVALID',
      'subnetwork names:conv*: expected weights to choose from, got none; weights: dense1/kernel, dense1/bias, output/kernel, output/bias',
    ]);
    expect((await failure(() => compileFitSpec({ ...problem, subnetwork: 'best:5', output })))[0]).toBe('INVALID_ARGUMENT');
    expect(await failure(() => fitInProcess({ ...problem, subnetwork: 'indices:/nothing.json', priorPrecision: 1, output }))).toEqual([
      'SUBNETWORK_INVALID',
      "indices: expected a file, got nothing at '/nothing.json'",
    ]);
  });
});

function editJson(file: string, edit: (json: string) => string): void {
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
}

function editModel(copy: string, edit: (json: LayersModel) => void): void {
  editJson(join(copy, 'model.json'), (text) => {
    const json = JSON.parse(text) as LayersModel;
    edit(json);
    return JSON.stringify(json);
  });
}
