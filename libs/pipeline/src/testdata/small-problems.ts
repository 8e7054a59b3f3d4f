import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Network } from '@sublace/network';
import { activationLayer, denseLayer, matrixOf, NaiveNetwork, testRandom, type Matrix } from '@sublace/testing';
import { afterAll } from 'vitest';
import { trainModel, type TrainModelOptions } from '../index.ts';

/**
 * A folder that is removed after the tests of the file.
 *
 * @returns  Its path.
 */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-pipeline-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/**
 * A table of four numbers and a class in 0..2, which a linear map with noise decides; some examples of every class.
 *
 * @param file  Where to write.
 * @param count  Number of examples.
 * @returns  The file, as a data SPEC.
 */
export function writeTable(file: string, count = 90): string {
  const random = testRandom(1);
  const lines = Array.from({ length: count }, () => {
    const x = random.normals(4, 3).map((value) => 5 + value);
    const scores = [x[0] - x[1], x[1] + 0.5 * x[2] - 7, 0.5 * x[3] - x[0] + 2].map((value) => value + random.normal());
    return [...x.map((value) => value.toFixed(4)), scores.indexOf(Math.max(...scores))].join(',');
  });
  writeFileSync(file, `a,b,c,d,class\n${lines.join('\n')}\n`);
  return file;
}

/** Two short epochs. */
const QUICK = { epochs: 2, batchSize: 8, learningRate: 0.02 };

/** A small model trained for two epochs: folder and data. */
export interface SmallProblem {
  readonly model: string;
  readonly data: string;
}

/**
 * A classifier of {@link writeTable}: 4 inputs, 4 hidden units, 3 classes, 35 weights.
 *
 * @param folder  Where to write.
 * @returns  Model and data.
 */
export async function tableProblem(folder: string): Promise<SmallProblem> {
  mkdirSync(folder, { recursive: true });
  const data = writeTable(join(folder, 'table.csv'));
  const model = join(folder, 'model');
  await trainModel({
    data,
    architecture: 'mlp:4x1',
    output: model,
    likelihood: 'classification',
    training: QUICK,
  });
  return { model, data };
}

/**
 * Answers of yes or no to 4 numbers, which are random with a linear logit: 4 inputs, 4 hidden units, one or two answers.
 *
 * @param folder  Where to write.
 * @param answerCount  1 for a binary classification, 2 for a multi-label one.
 * @returns  Model and data.
 */
export async function answersProblem(folder: string, answerCount: 1 | 2): Promise<SmallProblem> {
  mkdirSync(folder, { recursive: true });
  const random = testRandom(2);
  const lines = Array.from({ length: 90 }, () => {
    const x = random.normals(4);
    const answers = [x[0] - x[1], x[2] + 0.5 * x[3]].map((logit) => (2 * logit + random.normal() > 0 ? 1 : 0)).slice(0, answerCount);
    return [...x.map((value) => value.toFixed(4)), ...answers].join(',');
  });
  writeFileSync(join(folder, 'answers.csv'), lines.join('\n'));
  const [model, data] = [join(folder, 'model'), `${join(folder, 'answers.csv')}?target=${answerCount === 1 ? '4' : '4,5'}`];
  await trainModel({ data, architecture: 'mlp:4x1', output: model, likelihood: 'binary', training: QUICK });
  return { model, data };
}

/**
 * Two targets of one number, in units a thousand times apart and with noise that grows with the number: 1 input, 5 hidden units.
 *
 * @param folder  Where to write.
 * @param options  Likelihood, noise and length of training.
 * @returns  Model and data.
 */
export async function pairProblem(
  folder: string,
  options: Pick<TrainModelOptions, 'likelihood' | 'noise' | 'training'> = {},
): Promise<SmallProblem> {
  mkdirSync(folder, { recursive: true });
  const random = testRandom(3);
  const lines = Array.from({ length: 80 }, () => {
    const [x, first, second] = random.normals(3);
    const noise = 0.1 * Math.exp(0.8 * x);
    return [x, Math.sin(x) + noise * first, 1000 * (5 - x + 3 * noise * second)].map((value) => value.toFixed(5)).join(',');
  });
  writeFileSync(join(folder, 'pair.csv'), `x,small,large\n${lines.join('\n')}\n`);
  const [model, data] = [join(folder, 'model'), `${join(folder, 'pair.csv')}?target=small,large`];
  await trainModel({ data, architecture: 'mlp:5x1', output: model, likelihood: 'regression', training: QUICK, ...options });
  return { model, data };
}

/**
 * A regression of one input: 6 hidden units, 19 weights.
 *
 * @param folder  Where to write.
 * @returns  Model and data.
 */
export async function curveProblem(folder: string): Promise<SmallProblem> {
  const model = join(folder, 'model');
  await trainModel({ data: 'toy-1d', architecture: 'mlp:6x1', output: model, training: QUICK });
  return { model, data: 'toy-1d' };
}

/**
 * A classifier of handwriting-like digits with 16 hidden units, trained for eight epochs.
 *
 * @param folder  Where to write.
 * @returns  Model and data.
 */
export async function digitsProblem(folder: string): Promise<SmallProblem> {
  const [model, data] = [join(folder, 'model'), 'digits?count=300'];
  await trainModel({ data, architecture: 'mlp:16x1', output: model, training: { epochs: 8, batchSize: 16, learningRate: 0.01 } });
  return { model, data };
}

/**
 * The double-precision twin of a network of dense and ReLU layers.
 *
 * @param network  The network.
 * @returns  Its twin, with the same order of weights.
 */
export function twinOf(network: Network): NaiveNetwork {
  const layers = network.nodes.map(({ layer }) => {
    const [kernel, bias] = layer.weights.map(({ value }) => [...value.dataSync()]);
    return kernel ? denseLayer(layer.name, kernel, bias) : activationLayer(layer.name, 'relu');
  });
  return new NaiveNetwork(network.inputShape, layers);
}

/**
 * Examples of a twin: outputs and Jacobians.
 *
 * @param twin  The network.
 * @param inputs  [N, ...inputShape] row-major, normalised.
 * @returns  Outputs, one [C] per example, and Jacobians, one [C, P] per example.
 */
export function linearise(twin: NaiveNetwork, inputs: Float32Array): { outputs: number[][]; jacobians: Matrix[] } {
  const examples = matrixOf(
    inputs,
    twin.inputShape.reduce((product, extent) => product * extent, 1),
  );
  return { outputs: examples.map((example) => twin.forward(example)), jacobians: examples.map((example) => twin.jacobian(example)) };
}
