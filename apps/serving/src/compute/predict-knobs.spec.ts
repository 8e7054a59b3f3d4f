import { describe, expect, it } from 'vitest';
import { checkDraws, knobsOf } from './predict-knobs.ts';

const invalid = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string });

describe('knobsOf', () => {
  it('takes what a likelihood knows', () => {
    const knobs = { link: 'monte-carlo', samples: 500, seed: 0, temperature: 1.5 };
    expect(knobsOf(knobs, 'classification')).toEqual(knobs);
    expect(knobsOf({ samples: 3, seed: 7 }, 'regression')).toEqual({ samples: 3, seed: 7 });
    expect(knobsOf({}, 'regression')).toEqual({});
  });

  it.each([
    [{ sample: 3 }, 'classification', /expected link, samples, seed, temperature for classification, got 'sample'/],
    [{ constructor: 3 }, 'classification', /got 'constructor'/],
    [{ link: 'logistic' }, 'classification', /link: expected probit, .*, got 'logistic'/],
    [{ samples: 0 }, 'classification', /samples: expected a whole number from 1 to 100000, got '0'/],
    [{ samples: 1e9 }, 'classification', /got '1000000000'/],
    [{ samples: '10' }, 'classification', /got '10'/],
    [{ seed: 1.5 }, 'classification', /seed: .* got '1.5'/],
    [{ temperature: 0 }, 'classification', /temperature: expected a positive number, got '0'/],
    [{ temperature: Infinity }, 'binary', /temperature: .* got 'Infinity'/],
    [{ link: 'bridge' }, 'binary', /link: expected probit, monte-carlo, got 'bridge'/],
    [{ temperature: 1 }, 'heteroscedastic', /expected samples, seed for heteroscedastic, got 'temperature'/],
    [{ link: 'probit' }, 'regression', /expected samples, seed for regression, got 'link'/],
  ] as const)('refuses %j', (parameters, likelihood, message) => {
    expect(() => knobsOf(parameters, likelihood)).toThrow(invalid(message));
  });
});

describe('checkDraws', () => {
  const sizes = { subnetworkSize: 1000, outputCount: 10 };
  const check = (count: number, outputs: string[], knobs: Parameters<typeof checkDraws>[1]) => () =>
    checkDraws({ input: new Float32Array(0), count, outputs, parameters: {} }, knobs, sizes);

  it('caps the draws of logits of a request', () => {
    expect(check(1001, ['probabilities'], { link: 'monte-carlo', samples: 10_000 })).toThrow(invalid(/1001 examples of 10000/));
    expect(check(10_001, ['mutual_information'], {})).toThrow(invalid(/10001 examples of 1000/));
    expect(check(1000, ['probabilities'], { link: 'monte-carlo', samples: 10_000 })).not.toThrow();
    expect(check(1001, ['probabilities'], { link: 'probit', samples: 10_000 })).not.toThrow();
  });

  it('caps the functions that are drawn, by the memory of their weights and of their values', () => {
    expect(check(1, ['samples'], { samples: 16_777 })).not.toThrow();
    expect(check(1, ['samples'], { samples: 16_778 })).toThrow(invalid(/draws of weights: .*16778 functions of 1000 weights/));
    expect(check(16_777, ['samples'], { samples: 100 })).not.toThrow();
    expect(check(16_778, ['samples'], { samples: 100 })).toThrow(invalid(/values of samples: .* 16778 examples of 100 functions of 10/));
    expect(check(167_773, ['samples'], {})).toThrow(invalid(/167773 examples of 10 functions/));
  });
});
