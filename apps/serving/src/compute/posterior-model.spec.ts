import { SublaceError } from '@sublace/errors';
import type { PredictRequest } from '@sublace/pipeline';
import { describe, expect, it } from 'vitest';
import type { ModelAnswer, ModelRequest } from '../models/model.ts';
import { cardManifest } from '../testdata/card-manifest.ts';
import { posteriorModel, type Predictor } from './posterior-model.ts';

const shapesOf = (model: ReturnType<typeof posteriorModel>): unknown =>
  Object.fromEntries(model.description.outputs.map(({ name, shape }) => [name, shape]));

/** Logits x and 2x: enough to see which output went where. It counts its passes, and fails as a whole where an input is 13. */
function predictor(): Predictor & { passes: number } {
  return {
    passes: 0,
    manifest: cardManifest,
    inputShape: [1],
    truncation: undefined,
    batchSizes: [1, 2, 4],
    memory: (batchMax = 1) => ({ heldBytes: 1, batchBytes: batchMax, openingBytes: 0, peakBytes: 100 + batchMax }),
    dispose: () => undefined,
    predictMany(requests) {
      this.passes += 1;
      if (requests.some(({ inputs }) => inputs.includes(13))) throw new Error('boom');
      return requests.map(({ inputs, count, options }: PredictRequest) => {
        if (inputs.includes(7)) return new SublaceError('INVALID_ARGUMENT', 'seven');
        return (options?.outputs ?? []).map((name) => {
          const rows = Array.from(inputs, (x) => (name === 'entropy' ? [x] : [x, 2 * x]));
          return { name, shape: name === 'entropy' ? [count] : [count, 2], data: Float64Array.from(rows.flat()) };
        });
      });
    },
  };
}

const request = (inputs: number[], change: Partial<ModelRequest> = {}): ModelRequest => {
  return { input: Float32Array.from(inputs), count: inputs.length, outputs: ['logits'], parameters: {}, ...change };
};
const logits = (...values: number[]): ModelAnswer => {
  const data = Float32Array.from(values.flatMap((x) => [x, 2 * x]));
  return { outputs: [{ name: 'logits', datatype: 'FP32', shape: [values.length, 2], data }] };
};

describe('posteriorModel', () => {
  it('tells which covariance it has, what that was measured to lose, and the memory that it takes', () => {
    const error = { max: 0.3, mean: 0.1, p99: 0.2 };
    const truncation = {
      rank: 3,
      choice: { rank: 3 },
      eigenvalues: { largest: 9, smallest: 1 },
      heldOut: { data: 'digits', count: 50 },
      varianceError: error,
      cancellation: 2,
      form: 'subtract',
    } as const;
    const { description } = posteriorModel({ ...predictor(), truncation });
    expect(description.card).toMatchObject({
      covariance: { path: 'truncated', rank: 3, errors: { variance_relative_max: 0.3, inputs: 50 } },
    });
    expect(description.properties).toMatchObject({
      covariance: 'truncated',
      covariance_rank: '3',
      covariance_variance_relative_p99: '0.2',
    });
    const withProbabilities = posteriorModel({ ...predictor(), truncation: { ...truncation, probabilityError: { ...error, max: 0.01 } } });
    expect(withProbabilities.description.properties).toMatchObject({ covariance_probability_max: '0.01' });
  });

  it('tells shapes and default outputs of either likelihood', () => {
    const model = { ...cardManifest.model, outputCount: 10 };
    const classifier = posteriorModel({ ...predictor(), inputShape: [28, 28, 1], manifest: { ...cardManifest, model } }, 16);
    expect(classifier.description.inputs).toEqual([{ name: 'input', datatype: 'FP32', shape: [-1, 28, 28, 1] }]);
    expect(shapesOf(classifier)).toEqual({
      probabilities: [-1, 10],
      logit_variance: [-1, 10],
      logits: [-1, 10],
      map_probabilities: [-1, 10],
      mutual_information: [-1],
      logit_covariance: [-1, 10, 10],
      joint_covariance: [-1, 10, -1, 10],
      samples: [-1, -1, 10],
      entropy: [-1],
    });
    expect(classifier.description.defaultOutputs).toEqual(['probabilities', 'logit_variance', 'entropy']);
    expect(classifier.description.properties).toMatchObject({ likelihood: 'classification', posterior_digest: 'd', subnetwork_size: '4' });
    expect(classifier.description.card).toMatchObject({ kind: 'posterior', digest: 'd' });
    expect(classifier.description.memoryBytes).toBe(116);
    expect(classifier.description.batchSizes).toEqual([1, 2, 4]);

    const normalisation = { ...cardManifest.normalisation, targetMean: [0, 0], targetStd: [1, 1] };
    const manifest = { ...cardManifest, likelihood: 'regression', noiseVariance: 1, normalisation } as const;
    const regression = posteriorModel({ ...predictor(), manifest });
    expect(shapesOf(regression)).toEqual({
      mean: [-1, 2],
      variance: [-1, 2],
      noise_variance: [-1, 2],
      std: [-1, 2],
      joint_covariance: [-1, 2, -1, 2],
      samples: [-1, -1, 2],
    });
    expect(regression.description.defaultOutputs).toEqual(['mean', 'variance']);
  });

  it('tells those of binary answers and of a heteroscedastic regression', () => {
    const model = { ...cardManifest.model, outputCount: 4 };
    const binary = posteriorModel({ ...predictor(), manifest: { ...cardManifest, model, likelihood: 'binary' } });
    expect(shapesOf(binary)).toMatchObject({ probabilities: [-1, 4], entropy: [-1] });
    expect(binary.description.defaultOutputs).toEqual(['probabilities', 'logit_variance', 'entropy']);
    const heteroscedastic = posteriorModel({ ...predictor(), manifest: { ...cardManifest, model, likelihood: 'heteroscedastic' } });
    expect(shapesOf(heteroscedastic)).toEqual({
      mean: [-1, 2],
      variance: [-1, 2],
      noise_variance: [-1, 2],
      std: [-1, 2],
      joint_covariance: [-1, 4, -1, 4],
      samples: [-1, -1, 4],
    });
    expect(heteroscedastic.description.defaultOutputs).toEqual(['mean', 'variance', 'noise_variance']);
  });

  it('tells what was measured of a covariance that is truncated', () => {
    const error = { max: 0.2, mean: 0.01, p99: 0.1 };
    const truncation = {
      rank: 3,
      choice: { rank: 3 },
      eigenvalues: { largest: 9, smallest: 2 },
      heldOut: { data: 'digits', count: 64 },
      varianceError: error,
      cancellation: 5,
      form: 'project' as const,
    };
    const { card, properties } = posteriorModel({ ...predictor(), truncation }).description;
    expect(card).toMatchObject({ covariance: { path: 'truncated', rank: 3, errors: { variance_relative_max: 0.2, inputs: 64 } } });
    expect(properties).toMatchObject({ covariance: 'truncated', covariance_rank: '3', covariance_variance_relative_p99: '0.1' });
  });

  it('gives each output its shape, in the order asked for, in float32', async () => {
    const outputs = [
      { name: 'entropy', datatype: 'FP32', shape: [2], data: Float32Array.of(0, 3) },
      { name: 'logits', datatype: 'FP32', shape: [2, 2], data: Float32Array.of(0, 0, 3, 6) },
    ];
    expect(await posteriorModel(predictor()).infer([request([0, 3], { outputs: ['entropy', 'logits'] })])).toEqual([{ outputs }]);
  });

  it('computes a batch in one pass and answers each request for itself', async () => {
    const fitted = predictor();
    const wrong = request([1], { parameters: { samples: 0 } });
    expect(await posteriorModel(fitted).infer([request([1]), wrong, request([7]), request([2, 3])])).toEqual([
      logits(1),
      { error: { code: 'INVALID_ARGUMENT', message: expect.stringMatching(/samples/) as string } },
      { error: { code: 'INVALID_ARGUMENT', message: 'seven' } },
      logits(2, 3),
    ]);
    expect(fitted.passes).toBe(1);
  });

  it('finds the request that spoils a batch: the others are answered', async () => {
    const fitted = predictor();
    expect(await posteriorModel(fitted).infer([request([1]), request([13]), request([2])])).toEqual([
      logits(1),
      { error: { code: 'INTERNAL', message: 'boom' } },
      logits(2),
    ]);
    expect(fitted.passes).toBe(4);
  });

  it('refuses draws that would hold up everybody else', async () => {
    const parameters = { link: 'monte-carlo', samples: 100_000 };
    const [answer] = await posteriorModel(predictor()).infer([request(new Array<number>(101).fill(0), { parameters })]);
    expect(answer).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
  });
});
