import { describe, expect, it } from 'vitest';
import { knobsOf, posteriorModel, type Predictor } from './posterior-model.ts';

const manifest: Predictor['manifest'] = {
  digest: 'd',
  effectiveDimension: 3.5,
  likelihood: 'classification',
  model: { digest: 'm', parameterCount: 20, outputCount: 2, inputShape: [1] },
  priorPrecision: 2,
  subnetwork: { rule: 'last-layer', size: 4, seed: 0, indicesDigest: 'i', report: {} as Predictor['manifest']['subnetwork']['report'] },
};

/** Logits x and 2x: enough to see which output went where. */
const predictor: Predictor = {
  manifest,
  inputShape: [1],
  dispose: () => undefined,
  predict: (inputs, count, options) =>
    (options?.outputs ?? []).map((name) => {
      const rows = Array.from(inputs, (x) => (name === 'entropy' ? [x] : [x, 2 * x]));
      return { name, shape: name === 'entropy' ? [count] : [count, 2], data: Float64Array.from(rows.flat()) };
    }),
};

describe('posteriorModel', () => {
  it('tells shapes and default outputs of either likelihood', () => {
    const model = { ...manifest.model, outputCount: 10 };
    const classifier = posteriorModel({ ...predictor, inputShape: [28, 28, 1], manifest: { ...manifest, model } }).description;
    expect(classifier.inputs).toEqual([{ name: 'input', datatype: 'FP32', shape: [-1, 28, 28, 1] }]);
    expect(Object.fromEntries(classifier.outputs.map(({ name, shape }) => [name, shape]))).toEqual({
      probabilities: [-1, 10],
      logit_variance: [-1, 10],
      logits: [-1, 10],
      map_probabilities: [-1, 10],
      mutual_information: [-1],
      logit_covariance: [-1, 10, 10],
      joint_covariance: [-1, 10, -1, 10],
      entropy: [-1],
    });
    expect(classifier.defaultOutputs).toEqual(['probabilities', 'logit_variance', 'entropy']);
    expect(classifier.properties).toMatchObject({ likelihood: 'classification', posterior_digest: 'd', subnetwork_size: '4' });

    const regression = posteriorModel({ ...predictor, manifest: { ...manifest, likelihood: 'regression' } }).description;
    const names = ['mean', 'variance', 'noise_variance', 'std'];
    expect(regression.outputs.map(({ name, shape }) => [name, ...shape])).toEqual([
      ...names.map((name) => [name, -1, 2]),
      ['joint_covariance', -1, 2, -1, 2],
    ]);
    expect(regression.defaultOutputs).toEqual(['mean', 'variance']);
  });

  it('tells those of binary answers and of a heteroscedastic regression', () => {
    const model = { ...manifest.model, outputCount: 4 };
    const binary = posteriorModel({ ...predictor, manifest: { ...manifest, model, likelihood: 'binary' } }).description;
    expect(binary.outputs.find(({ name }) => name === 'probabilities')?.shape).toEqual([-1, 4]);
    expect(binary.outputs.find(({ name }) => name === 'entropy')?.shape).toEqual([-1]);
    expect(binary.defaultOutputs).toEqual(['probabilities', 'logit_variance', 'entropy']);
    const heteroscedastic = posteriorModel({ ...predictor, manifest: { ...manifest, model, likelihood: 'heteroscedastic' } }).description;
    expect(Object.fromEntries(heteroscedastic.outputs.map(({ name, shape }) => [name, shape]))).toEqual({
      mean: [-1, 2],
      variance: [-1, 2],
      noise_variance: [-1, 2],
      std: [-1, 2],
      joint_covariance: [-1, 4, -1, 4],
    });
    expect(heteroscedastic.defaultOutputs).toEqual(['mean', 'variance', 'noise_variance']);
  });

  it('gives each output its shape, in the order asked for, in float32', async () => {
    const request = { input: Float32Array.of(0, 3), count: 2, outputs: ['entropy', 'logits'], parameters: { seed: 1 } };
    const outputs = [
      { name: 'entropy', datatype: 'FP32', shape: [2], data: Float32Array.of(0, 3) },
      { name: 'logits', datatype: 'FP32', shape: [2, 2], data: Float32Array.of(0, 0, 3, 6) },
    ];
    expect(await posteriorModel(predictor).infer([request])).toEqual([{ outputs }]);
  });

  it('refuses a request whose draws would hold up everybody else', async () => {
    const ask = async (link: string, samples: number): Promise<unknown> =>
      (
        await posteriorModel(predictor).infer([
          { input: new Float32Array(1001), count: 1001, outputs: ['logits'], parameters: { link, samples } },
        ])
      )[0];
    expect(await ask('monte-carlo', 10_000)).toEqual({
      error: { code: 'INVALID_ARGUMENT', message: expect.stringMatching(/1001 examples of 10000/) as string },
    });
    expect(await ask('monte-carlo', 9_990)).toHaveProperty('outputs');
    expect(await ask('probit', 10_000)).toHaveProperty('outputs');
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
    [{ sample: 3 }, 'classification', /expected link, samples, seed, got 'sample'/],
    [{ link: 'logistic' }, 'classification', /link: expected probit, .*, got 'logistic'/],
    [{ samples: 0 }, 'classification', /samples: expected a whole number from 1 to 100000, got '0'/],
    [{ samples: 1e9 }, 'classification', /got '1000000000'/],
    [{ samples: '10' }, 'classification', /got '10'/],
    [{ seed: 1.5 }, 'classification', /seed: .* got '1.5'/],
    [{ link: 'bridge' }, 'binary', /link: expected probit, monte-carlo, got 'bridge'/],
    [{ seed: 1 }, 'heteroscedastic', /expected none for heteroscedastic, got 'seed'/],
    [{ link: 'probit' }, 'regression', /expected none for regression, got 'link'/],
  ] as const)('refuses %j', (parameters, likelihood, message) => {
    expect(() => knobsOf(parameters, likelihood)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string }),
    );
  });
});
