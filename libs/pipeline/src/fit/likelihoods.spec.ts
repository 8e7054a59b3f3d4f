import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset, normaliseTargets, splitValidation } from '@sublace/data';
import { diagonalMatrix, flat, FLOAT32_SOLVE, naiveGgn, naiveOutputCovariance, type Matrix } from '@sublace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, familyOf, openPosterior, readModelMetadata, type FitPlan, type FitSpecInput, type PosteriorManifest } from '../index.ts';
import { fitInProcess, fitJob } from '../testdata/fit-in-process.ts';
import { fullLaplace, naiveEvidence, type FullLaplace } from '../testdata/full-laplace.ts';
import { answersProblem, pairProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** A likelihood in plain doubles, for one example. */
interface NaiveTask {
  readonly problem: () => Promise<SmallProblem>;
  readonly extra?: Partial<FitSpecInput>;
  /** Lambda at outputs f. */
  hessian(f: readonly number[], manifest: PosteriorManifest): Matrix;
  /** log p(y | f), y in the network's units. */
  logLikelihood(f: readonly number[], y: readonly number[], manifest: PosteriorManifest): number;
  /** Every output of a prediction that needs no draws, from means f and their covariance, in raw units. */
  predict(f: readonly number[], covariance: Matrix, manifest: PosteriorManifest): Record<string, number | readonly number[]>;
  /** Mean negative log likelihood of those predictions at raw targets y, over their number. */
  nll(predicted: Record<string, number | readonly number[]>, y: readonly number[]): number;
}

const sigmoid = (f: number): number => 1 / (1 + Math.exp(-f));
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const logDensity = (y: number, mean: number, variance: number): number =>
  -0.5 * (Math.log(2 * Math.PI * variance) + (y - mean) ** 2 / variance);
const diagonalOf = (matrix: Matrix): number[] => matrix.map((row, c) => row[c]);
const list = (value: number | readonly number[]): readonly number[] => [value].flat();

const answers: Omit<NaiveTask, 'problem'> = {
  hessian: (f) => diagonalMatrix(f.map((value) => sigmoid(value) * sigmoid(-value))),
  logLikelihood: (f, y) => total(f.map((value, c) => Math.log(y[c] === 1 ? sigmoid(value) : sigmoid(-value)))),
  predict(f, covariance) {
    const v = diagonalOf(covariance);
    const probabilities = f.map((value, c) => sigmoid(value / Math.sqrt(1 + (Math.PI / 8) * v[c])));
    const entropy = total(probabilities.map((p) => -p * Math.log(p) - (1 - p) * Math.log(1 - p)));
    return { probabilities, logit_variance: v, entropy, logits: f, map_probabilities: f.map(sigmoid), logit_covariance: covariance.flat() };
  },
  nll: ({ probabilities }, y) => -total(list(probabilities).map((p, c) => Math.log(y[c] === 1 ? p : 1 - p))) / y.length,
};

/** Raw moments from normalised ones. */
function gaussian(m: readonly number[], v: readonly number[], noise: readonly number[], { normalisation }: PosteriorManifest) {
  const { targetMean = [], targetStd = [] } = normalisation;
  const mean = m.map((value, c) => value * targetStd[c] + targetMean[c]);
  const [variance, noise_variance] = [v, noise].map((values) => values.map((value, c) => value * targetStd[c] ** 2));
  return { mean, variance, noise_variance, std: variance.map((value, c) => Math.sqrt(value + noise_variance[c])) };
}

const gaussianNll: NaiveTask['nll'] = ({ mean, std }, y) =>
  -total(list(mean).map((value, c) => logDensity(y[c], value, list(std)[c] ** 2))) / y.length;

const noiseOf = ({ noiseVariance }: PosteriorManifest): readonly number[] => list(noiseVariance ?? Number.NaN);

const TASKS: Readonly<Record<string, NaiveTask>> = {
  'a binary classifier': { problem: () => answersProblem(join(folder, 'binary'), 1), ...answers },
  'a multi-label classifier': { problem: () => answersProblem(join(folder, 'multi-label'), 2), ...answers },
  'a regression with a noise per output': {
    problem: () => pairProblem(join(folder, 'pair')),
    extra: { noiseVariance: 'fit-per-output' },
    hessian: (_, manifest) => diagonalMatrix(noiseOf(manifest).map((noise) => 1 / noise)),
    logLikelihood: (f, y, manifest) => total(f.map((mean, c) => logDensity(y[c], mean, noiseOf(manifest)[c]))),
    predict: (f, covariance, manifest) => gaussian(f, diagonalOf(covariance), noiseOf(manifest), manifest),
    nll: gaussianNll,
  },
  'a heteroscedastic regression': {
    problem: () => pairProblem(join(folder, 'heteroscedastic'), { likelihood: 'heteroscedastic' }),
    hessian: (f) => diagonalMatrix([Math.exp(-f[2]), Math.exp(-f[3]), 0.5, 0.5]),
    logLikelihood: (f, y) => total(y.map((value, c) => logDensity(value, f[c], Math.exp(f[c + 2])))),
    predict(f, covariance, manifest) {
      const v = diagonalOf(covariance);
      return gaussian(f.slice(0, 2), v.slice(0, 2), [2, 3].map((c) => Math.exp(f[c] + v[c] / 2)), manifest); // prettier-ignore
    },
    nll: gaussianNll,
  },
};

describe.each(Object.entries(TASKS))('%s', (name, task) => {
  const prior = 1.5;
  let problem: SmallProblem;
  let full: FullLaplace;
  let ggn: Matrix;
  /** Raw targets and those of the network, one row per example. */
  let raw: number[][];
  let targets: number[][];

  beforeAll(async () => {
    problem = await task.problem();
    full = await fullLaplace(problem, { output: join(folder, `${name} full`), priorPrecision: prior, ...task.extra });
    const { data, fitted, jacobians, outputs } = full;
    ggn = naiveGgn(jacobians, outputs.map((f) => task.hessian(f, fitted.manifest))); // prettier-ignore
    const { values, width } = data.targets as { values: Float32Array; width: number };
    const rows = (all: Float32Array): number[][] => outputs.map((_, n) => [...all.subarray(n * width, (n + 1) * width)]);
    raw = rows(values);
    targets = data.targets.kind === 'flags' ? raw : rows(normaliseTargets(values, fitted.manifest.normalisation));
  });

  it('has the GGN, the log likelihood and the evidence of full Laplace', () => {
    const { run, fitted, outputs, mapValues } = full;
    expect(run.ggn).toBeAllclose(flat(ggn));
    const logLikelihood = total(outputs.map((f, n) => task.logLikelihood(f, targets[n], fitted.manifest)));
    expect(fitted.manifest.logLikelihood / logLikelihood).toBeCloseTo(1, 5);
    expect(fitted.manifest.logMarginalLikelihood / naiveEvidence(logLikelihood, ggn, prior, mapValues)).toBeCloseTo(1, 4);
  });

  it('predicts what follows from J Sigma J-transposed, and is scored by it', () => {
    const { fitted, data, outputs, jacobians } = full;
    const family = familyOf(fitted.manifest.likelihood);
    const expected = outputs.map((f, n) => {
      const covariance = naiveOutputCovariance(jacobians[n], ggn, prior);
      return task.predict(f, covariance, fitted.manifest);
    });
    const names = family.outputNames.filter((output) => output !== 'mutual_information'); // drawn: see mutual-information.spec.ts
    expect(names).toEqual(Object.keys(expected[0]));
    for (const { name: output, shape, data: values } of fitted.predict(data.inputs, data.count, { outputs: names })) {
      expect(values).toBeAllclose(expected.flatMap((each) => each[output]), FLOAT32_SOLVE); // prettier-ignore
      expect(shape).toEqual([data.count, ...family.outputShape(output, fitted.manifest.model.outputCount)]);
    }
    const scores = evaluate(fitted, data).scores.at(-1);
    expect(scores?.predictor).toBe('Sublace');
    expect(scores?.nll).toBeCloseTo(total(expected.map((each, n) => task.nll(each, raw[n]))) / data.count, 3);
    expect(fitted.predict(data.inputs, data.count).map((output) => output.name)).toEqual(family.defaultOutputs);
  });

  it('has its prior tuned by the loss of predictions on examples that were held out', async () => {
    const options = { subnetwork: 'names:*', validation: { fraction: 0.3, seed: 4 }, priorPrecision: 'validation' } as const;
    const run = await fitInProcess({ ...problem, ...options, ...task.extra, output: join(folder, `${name} tuned`) });
    const fitted = await openPosterior(run.folder);
    const { manifest } = fitted;
    const loss = manifest.prior.curve?.find((point) => point.priorPrecision === manifest.priorPrecision)?.loss ?? Number.NaN;
    const whole = await loadDataset(problem.data, { likelihood: familyOf(manifest.likelihood).targetUse });
    const { validation } = splitValidation(whole, options.validation);
    const scored = evaluate(fitted, validation).scores.at(-1)?.nll ?? Number.NaN;
    fitted.dispose();
    // The search's NLL is in normalised units.
    const scales = manifest.normalisation.targetStd ?? [1];
    expect(loss).toBeCloseTo(scored - total(scales.map(Math.log)) / scales.length, 4);
  });
});

describe('the noise of a regression with several outputs', () => {
  const planned = async (problem: SmallProblem, noiseVariance?: FitSpecInput['noiseVariance']): Promise<FitPlan> => {
    const job = fitJob({
      ...problem,
      subnetwork: 'names:*',
      output: join(folder, 'never'),
      ...(noiseVariance !== undefined && { noiseVariance }),
    });
    return (await job.run({ phase: 'plan' })).summary as unknown as FitPlan;
  };

  it('is the one that was learned with the weights', async () => {
    const problem = await pairProblem(join(folder, 'learned'), { noise: 'learned-per-output' });
    const metadata = readModelMetadata(problem.model);
    expect(metadata?.noiseVariance).toHaveLength(2);
    expect((await planned(problem)).noiseVariance).toEqual(metadata?.noiseVariance);
  });

  it('is given in raw units, fitted to all residuals, or to those of each output', async () => {
    const problem = await pairProblem(join(folder, 'given'));
    const { normalisation } = readModelMetadata(problem.model) ?? {};
    const [small, large] = normalisation?.targetStd ?? [];
    expect((await planned(problem, [0.5, 2])).noiseVariance).toEqual([0.5 / small ** 2, 2 / large ** 2]);
    expect((await planned(problem, 0.5)).noiseVariance).toEqual([0.5 / small ** 2, 0.5 / large ** 2]);
    const each = [(await planned(problem, 'fit-per-output')).noiseVariance].flat().map(Number);
    expect(each).toHaveLength(2);
    expect((await planned(problem, 'fit')).noiseVariance).toBeCloseTo((each[0] + each[1]) / 2, 6);
  });

  it('cannot be learned where there is none', async () => {
    const train = (): Promise<unknown> => pairProblem(join(folder, 'none'), { likelihood: 'heteroscedastic', noise: 'learned' });
    await expect(train()).rejects.toThrow("noise: expected nothing for heteroscedastic, got 'learned'; only regression has noise to learn");
  });
});

describe('outputs of all inputs together', () => {
  it('of a heteroscedastic regression are in raw units, log variances shifted', async () => {
    const { fitted, data, outputs, jacobians, run } = await fullLaplace(await TASKS['a heteroscedastic regression'].problem(), {
      output: join(folder, 'joint'),
      priorPrecision: 3,
    });
    const { targetStd = [] } = fitted.manifest.normalisation;
    const inputs = data.inputs.slice(0, 1);
    const naive = naiveGgn(jacobians, outputs.map((f) => TASKS['a heteroscedastic regression'].hessian(f, fitted.manifest))); // prettier-ignore
    expect(run.plan.outputCount).toBe(4);
    const scales = [...targetStd, 1, 1];
    const covariance = naiveOutputCovariance(jacobians[0], naive, 3).map((row, a) => row.map((value, b) => value * scales[a] * scales[b]));
    expect(fitted.jointCovariance(inputs, 1)).toBeAllclose(flat(covariance), FLOAT32_SOLVE);
    const draws = fitted.functionSamples(inputs, 1, { count: 2000, seed: 1 });
    const logVariance = outputs[0][2] + 2 * Math.log(targetStd[0]);
    const mean = draws.filter((_, i) => i % 4 === 2).reduce((a, b) => a + b) / 2000;
    expect(Math.abs(mean - logVariance)).toBeLessThan(5 * Math.sqrt(covariance[2][2] / 2000));
    fitted.dispose();
  });
});
