import { describe, expect, it } from 'vitest';
import { cardManifest } from '../testdata/card-manifest.ts';
import { cardOf, propertiesOf } from './posterior-card.ts';

const exact = { path: 'exact', rank: 4, errors: {} } as const;

describe('cardOf', () => {
  it('is JSON, with the subnetwork by layer and the prior with its search', () => {
    const card = cardOf(cardManifest, exact);
    expect(JSON.parse(JSON.stringify(card))).toEqual(card);
    expect(card.subnetwork.layers).toEqual([{ layer: 'output', weight: 'kernel', selected: 4, dead: 0, total: 4, diagonalMassShare: 0.5 }]);
    expect(card.prior).toMatchObject({ precision: 2, method: 'widest', tensors: [], curve: [{ precision: 1, loss: 0.5 }, {}, {}] });
    expect(card.data).toMatchObject({ spec: 'mnist', exampleCount: 90, validationCount: 10, targetMean: [] });
    expect(card).toMatchObject({ noiseVariance: null, mapTemperature: 1.3, covariance: exact });
  });

  it('tells priors that differ by weight tensor', () => {
    const tensors = [{ layer: 'output', weight: 'kernel', priorPrecision: 7 }];
    const prior = { method: 'given', structure: 'layer', mean: 0, tensors } as const;
    expect(cardOf({ ...cardManifest, prior }, exact).prior).toMatchObject({
      tensors: [{ layer: 'output', weight: 'kernel', precision: 7 }],
      curve: [],
    });
  });

  it('tells the scores on held-out data, where the fit had some', () => {
    const scores = { exampleCount: 10, map: { nll: 0.3, ece: 0.1 }, sublace: { nll: 0.2, ece: 0.05 } };
    expect(cardOf(cardManifest, exact).quality).toEqual(scores);
    expect(cardOf({ ...cardManifest, validation: { exampleCount: 0 } }, exact).quality).toBeNull();
  });

  it('tells the noise of a regression in raw units, for each output', () => {
    const regression = { ...cardManifest, likelihood: 'regression' as const, noiseVariance: 0.5 };
    const normalisation = { ...cardManifest.normalisation, targetMean: [0, 0], targetStd: [2, 10] };
    expect(cardOf({ ...regression, normalisation }, exact).noiseVariance).toEqual([2, 50]);
    expect(cardOf({ ...regression, normalisation, noiseVariance: [1, 2] }, exact).noiseVariance).toEqual([4, 200]);
  });
});

describe('propertiesOf', () => {
  it('tells how the covariance is computed, and with which errors', () => {
    expect(propertiesOf(cardOf(cardManifest, exact))).toMatchObject({ covariance: 'exact', covariance_rank: '4', link_default: 'probit' });
    const truncated = { path: 'truncated', rank: 3, errors: { variance_relative_error_max: 0.01 } } as const;
    expect(propertiesOf(cardOf(cardManifest, truncated))).toMatchObject({
      covariance: 'truncated',
      covariance_rank: '3',
      covariance_variance_relative_error_max: '0.01',
    });
  });

  it('has no link where the predictive is exact', () => {
    const normalisation = { ...cardManifest.normalisation, targetMean: [0], targetStd: [1] };
    const regression = cardOf({ ...cardManifest, likelihood: 'regression', noiseVariance: 1, normalisation }, exact);
    expect(propertiesOf(regression)).not.toHaveProperty('link_default');
  });
});
