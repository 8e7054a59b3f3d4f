import { describe, expect, it } from 'vitest';
import { compute } from './inference/run-inference.ts';
import { knobsOf, servePosterior, type Predictor } from './served-posterior.ts';

/** Logits x and 2x with the variance x^2, through the probit link: enough to be computed by hand. */
const predictor: Predictor = {
  likelihood: 'classification',
  inputShape: [1],
  outputCount: 2,
  predict: async (inputs, count, { outputs }) => {
    const of: Record<string, (x: number) => number[]> = {
      probabilities: (x) =>
        [1 / (1 + Math.exp(x / Math.sqrt(1 + (Math.PI / 8) * x * x))), 0].map((p, i, [first]) => (i === 0 ? p : 1 - first)),
      logits: (x) => [x, 2 * x],
      logit_variance: (x) => [x * x, x * x],
      entropy: (x) => [Math.abs(x)],
    };
    return Object.fromEntries(outputs.map((name) => [name, Float32Array.from(Array.from(inputs.subarray(0, count)).flatMap(of[name]))]));
  },
};

describe('servePosterior', () => {
  it('tells shapes and default outputs of either likelihood', () => {
    const classifier = servePosterior({ ...predictor, inputShape: [28, 28, 1], outputCount: 10 }, 'm', { digest: 'd' });
    expect(classifier.inputs).toEqual([{ name: 'input', datatype: 'FP32', shape: [-1, 28, 28, 1] }]);
    expect(Object.fromEntries(classifier.outputs.map(({ name, shape }) => [name, shape]))).toEqual({
      probabilities: [-1, 10],
      logit_variance: [-1, 10],
      logits: [-1, 10],
      map_probabilities: [-1, 10],
      entropy: [-1],
    });
    expect(classifier.defaultOutputs).toEqual(['probabilities', 'logit_variance', 'entropy']);
    expect(classifier.properties).toEqual({ likelihood: 'classification', digest: 'd' });

    const regression = servePosterior({ ...predictor, likelihood: 'regression', outputCount: 3 }, 'm', {});
    expect(regression.outputs.map(({ name, shape }) => [name, ...shape])).toEqual(
      ['mean', 'variance', 'noise_variance', 'std'].map((name) => [name, -1, 3]),
    );
    expect(regression.defaultOutputs).toEqual(['mean', 'variance']);
  });

  it('gives each output its shape, in the order asked for', async () => {
    const model = servePosterior(predictor, 'm', {});
    const tensors = await compute(model, Float32Array.of(0, 3), 2, ['entropy', 'logits'], {});
    expect(tensors).toEqual([
      { name: 'entropy', datatype: 'FP32', shape: [2], data: Float32Array.of(0, 3) },
      { name: 'logits', datatype: 'FP32', shape: [2, 2], data: Float32Array.of(0, 0, 3, 6) },
    ]);
  });
});

describe('knobsOf', () => {
  it('takes what a classification knows', () => {
    expect(knobsOf({ link: 'monte-carlo', samples: 500, seed: 0 }, 'classification')).toEqual({
      link: 'monte-carlo',
      samples: 500,
      seed: 0,
    });
    expect(knobsOf({}, 'regression')).toEqual({});
  });

  it.each([
    [{ sample: 3 }, 'classification', /expected link, samples or seed, got 'sample'/],
    [{ link: 'logistic' }, 'classification', /link: expected probit, .*, got 'logistic'/],
    [{ samples: 0 }, 'classification', /samples: expected a whole number from 1 to 100000, got '0'/],
    [{ samples: 1e9 }, 'classification', /got '1000000000'/],
    [{ samples: '10' }, 'classification', /got '10'/],
    [{ seed: 1.5 }, 'classification', /seed: .* got '1.5'/],
    [{ link: 'probit' }, 'regression', /expected none for a regression, got 'link'/],
  ] as const)('refuses %j', (parameters, likelihood, message) => {
    expect(() => knobsOf(parameters, likelihood)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string }),
    );
  });
});
