import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset, type Dataset } from '@sublace/data';
import { naiveSoftmax } from '@sublace/testing';
import { accuracy, auroc, meanLogLikelihood, rmse } from '@sublace/metrics';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, openPosterior, type ClassificationScores, type FittedModel, type RegressionScores } from '../index.ts';
import { fitInProcess, type FitRun } from '../testdata/fit-in-process.ts';
import { answersProblem, curveProblem, digitsProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

function classificationScores(fitted: FittedModel, data: Dataset, ood?: Dataset): readonly ClassificationScores[] {
  const evaluation = evaluate(fitted, data, ood);
  if (evaluation.likelihood !== 'classification') throw new Error('expected scores of a classification');
  expect(evaluation.count).toBe(data.count);
  return evaluation.scores;
}

function regressionScores(fitted: FittedModel, data: Dataset): readonly RegressionScores[] {
  const evaluation = evaluate(fitted, data);
  if (evaluation.likelihood !== 'regression') throw new Error('expected scores of a regression');
  return evaluation.scores;
}

describe('a digits classifier', () => {
  let problem: SmallProblem;
  let run: FitRun;
  let fitted: FittedModel;
  let test: Dataset;
  let labels: Int32Array;

  beforeAll(async () => {
    problem = await digitsProblem(folder);
    run = await fitInProcess({ ...problem, subnetwork: 'gradient-energy:150', output: join(folder, 'posterior') });
    fitted = await openPosterior(run.folder);
    test = await loadDataset(problem.data, { split: 'test' });
    labels = test.targets.kind === 'labels' ? test.targets.labels : new Int32Array();
  });

  it('is fitted from end to end, with a report that adds up', () => {
    const { manifest } = fitted;
    expect(manifest).toMatchObject({
      kind: 'posterior',
      formatVersion: 1,
      likelihood: 'classification',
      temperature: 1,
      noiseVariance: null,
    });
    expect(manifest.model).toMatchObject({ parameterCount: 784 * 16 + 16 + 160 + 10, outputCount: 10, inputShape: [28, 28, 1] });
    const { report } = manifest.subnetwork;
    expect(report.layers.reduce((total, layer) => total + layer.selected, 0)).toBe(150);
    expect(report.deadCount).toBeGreaterThan(16); // pixels that are never drawn on
    expect(report.deadSelectedCount).toBe(0);
    expect(report.diagonalMassShare).toBeGreaterThan(0);
    expect(report.diagonalMassShare).toBeLessThan(1);
    expect(manifest.effectiveDimension).toBeGreaterThan(0);
    expect(manifest.effectiveDimension).toBeLessThan(150);
    expect(manifest.digest).toBe(run.digest);
  });

  it('has scores that follow from its predictions', () => {
    const scores = classificationScores(fitted, test);
    expect(scores.map(({ predictor }) => predictor)).toEqual(['MAP', 'MAP + temperature', 'Sublace']);
    const [probabilities, map, logits] = fitted.predict(test.inputs, test.count, {
      outputs: ['probabilities', 'map_probabilities', 'logits'],
    });
    expect(scores[0].nll).toBeCloseTo(-meanLogLikelihood(map.data, labels), 10);
    expect(scores[2].nll).toBeCloseTo(-meanLogLikelihood(probabilities.data, labels), 10);
    expect(scores[2].accuracy).toBe(accuracy(probabilities.data, labels));
    const scaled = scores[1];
    expect(scaled.accuracy).toBe(scores[0].accuracy); // a temperature changes no ranking
    const temperature = fitted.manifest.mapTemperature ?? Number.NaN;
    expect(Math.abs(temperature - 1)).toBeGreaterThan(0.01);
    const softened = Array.from({ length: test.count }, (_, n) =>
      naiveSoftmax([...logits.data.subarray(n * 10, n * 10 + 10)].map((f) => f / temperature)),
    );
    expect(scaled.nll).toBeCloseTo(-meanLogLikelihood(softened.flat(), labels), 10);
    expect(scores[0].accuracy).toBeGreaterThan(0.4); // after eight short epochs; chance is 0.1
  });

  it('tells noise from digits by entropy', () => {
    const noise = { ...test, inputs: test.inputs.map((_, i) => (i * 7919) % 256) };
    const scores = classificationScores(fitted, test, noise);
    const entropies = [test, noise].map(({ inputs, count }) => fitted.predict(inputs, count, { outputs: ['entropy'] })[0].data);
    expect(scores[2].auroc).toBeCloseTo(auroc(entropies[0], entropies[1]), 10);
  });

  it.each(['probit', 'bridge', 'bridge-normalised', 'monte-carlo'] as const)('gives probabilities by %s, the same ones again', (link) => {
    const inputs = test.inputs.subarray(0, 5 * 784);
    const [{ data }] = fitted.predict(inputs, 5, { link, samples: 200, seed: 4 });
    for (let n = 0; n < 5; n++) expect(data.subarray(n * 10, n * 10 + 10).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(fitted.predict(inputs, 5, { link, samples: 200, seed: 4 })[0].data).toEqual(data);
  });

  it('predicts one example as it does among others', () => {
    const together = fitted.predict(test.inputs.subarray(0, 20 * 784), 20, { outputs: ['logit_variance'] })[0].data;
    const alone = fitted.predict(test.inputs.subarray(13 * 784, 14 * 784), 1, { outputs: ['logit_variance'] })[0].data;
    expect(alone).toBeAllclose(together.subarray(130, 140));
  });

  it('refuses data of another shape or with other labels', () => {
    expect(() => evaluate(fitted, { ...test, inputShape: [27, 28, 1] })).toThrow(
      'digits: expected inputs [28, 28, 1] for this model, got [27, 28, 1]',
    );
    const targets = { kind: 'labels', labels: labels.map((label, n) => (n === 3 ? 10 : label)), classCount: 11 } as const;
    expect(() => evaluate(fitted, { ...test, targets })).toThrow('digits: expected labels in 0..9, got 10 in row 3');
  });
});

describe('a multi-label classifier', () => {
  it('has scores over single answers, a temperature, and an entropy that is a sum over answers', async () => {
    const problem = await answersProblem(join(folder, 'answers'), 2);
    const run = await fitInProcess({
      ...problem,
      subnetwork: 'names:*',
      output: join(folder, 'answers-posterior'),
      validation: { fraction: 0.3, seed: 1 },
    });
    const fitted = await openPosterior(run.folder);
    const data = await loadDataset(problem.data, { likelihood: 'binary' });
    const answers = data.targets.kind === 'flags' ? [...data.targets.values] : [];
    const evaluation = evaluate(fitted, data, { ...data, inputs: data.inputs.map((x) => 10 * x) });
    if (evaluation.likelihood !== 'binary') throw new Error('expected scores of binary answers');
    const { scores } = evaluation;
    expect(scores.map(({ predictor }) => predictor)).toEqual(['MAP', 'MAP + temperature', 'Sublace']);
    const [p, logits, entropy] = fitted
      .predict(data.inputs, data.count, { outputs: ['probabilities', 'logits', 'entropy'] })
      .map((each) => [...each.data]);
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(scores[2].accuracy).toBeCloseTo(mean(p.map((value, i) => (value > 0.5 === (answers[i] === 1) ? 1 : 0))), 12);
    expect(scores[2].brier).toBeCloseTo(mean(p.map((value, i) => (value - answers[i]) ** 2)), 12);
    expect(scores[2].nll).toBeCloseTo(-mean(p.map((value, i) => Math.log(answers[i] === 1 ? value : 1 - value))), 10);
    const gaps = new Map<number, number>(); // by bin of the confidence in the likelier answer
    p.forEach((value, i) => {
      const confidence = Math.max(value, 1 - value);
      const bin = Math.ceil(confidence * 15);
      gaps.set(bin, (gaps.get(bin) ?? 0) + (value > 0.5 === (answers[i] === 1) ? 1 : 0) - confidence);
    });
    expect(scores[2].ece).toBeCloseTo([...gaps.values()].reduce((sum, gap) => sum + Math.abs(gap), 0) / p.length, 12);
    const temperature = fitted.manifest.mapTemperature ?? Number.NaN;
    const scaled = mean(logits.map((f, i) => Math.log1p(Math.exp((answers[i] === 1 ? -f : f) / temperature))));
    expect(scores[1].nll).toBeCloseTo(scaled, 10);
    const single = (q: number): number => -q * Math.log(q) - (1 - q) * Math.log(1 - q);
    expect(entropy[5]).toBeCloseTo(single(p[10]) + single(p[11]), 12);
    expect(scores[0].auroc).toBeLessThan(0.5); // far away the sigmoids of a MAP are surer, not less sure
    expect(scores[2].auroc).toBeGreaterThan(scores[0].auroc ?? 1);
    fitted.dispose();
  });
});

describe('a regression', () => {
  it('has scores in raw units, and more uncertainty in the gap than the noise alone', async () => {
    const problem = await curveProblem(join(folder, 'curve'));
    const run = await fitInProcess({ ...problem, subnetwork: 'names:*', output: join(folder, 'curve-posterior') });
    const fitted = await openPosterior(run.folder);
    const test = await loadDataset('toy-1d', { split: 'test' });
    const values = test.targets.kind === 'values' ? test.targets.values : new Float32Array();
    const scores = regressionScores(fitted, test);
    const [mean, variance, std] = fitted.predict(test.inputs, test.count, { outputs: ['mean', 'variance', 'std'] });
    expect(scores.map(({ predictor }) => predictor)).toEqual(['MAP', 'Sublace']);
    expect(scores[0].rmse).toBe(scores[1].rmse);
    expect(scores[0].rmse).toBeCloseTo(rmse(mean.data, values), 12);
    const density = std.data.reduce(
      (total, s, n) => total + 0.5 * (((values[n] - mean.data[n]) / s) ** 2 + Math.log(2 * Math.PI * s * s)),
      0,
    );
    expect(scores[1].nll).toBeCloseTo(density / test.count, 10);
    expect(variance.data.every((value) => value >= 0)).toBe(true);
    expect(Math.max(...variance.data)).toBeGreaterThan(0);
    expect(() => evaluate(fitted, test, test)).toThrow('expected a posterior over classes or binary answers, got one for regression');
    expect(() => fitted.predict(test.inputs, test.count, { link: 'probit' })).toThrow("link: expected none for regression, got 'probit'");
    fitted.dispose();
  });
});
