import type { CardManifest } from '../compute/posterior-card.ts';

/** Of a small classification: two logits, four weights of the last layer. */
export const cardManifest: CardManifest = {
  digest: 'd',
  backend: { name: 'tensorflow', version: '2', device: 'cpu', threads: 1 },
  curvature: 'ggn',
  data: { spec: 'mnist', digest: 'e', exampleCount: 90, sets: [] },
  effectiveDimension: 3.5,
  effectiveDimensionError: 0,
  likelihood: 'classification',
  logLikelihood: -2,
  logMarginalLikelihood: -12,
  mapTemperature: 1.3,
  model: { digest: 'm', parameterCount: 20, outputCount: 2, inputShape: [1] },
  noiseVariance: null,
  normalisation: { inputMean: [1], inputStd: [2] },
  priorPrecision: 2,
  prior: {
    method: 'widest',
    structure: 'scalar',
    mean: 0,
    isAtBound: false,
    curve: [
      { priorPrecision: 1, loss: 0.5 },
      { priorPrecision: 1.9999, loss: 0.2 },
      { priorPrecision: 100, loss: 0.3 },
    ],
  },
  subnetwork: {
    rule: 'last-layer',
    size: 4,
    seed: 0,
    indicesDigest: 'i',
    report: {
      size: 4,
      parameterCount: 20,
      scoredCount: 4,
      candidateCount: 4,
      deadCount: 0,
      deadSelectedCount: 0,
      diagonalMassShare: 0.5,
      layers: [{ layer: 'output', weight: 'kernel', selected: 4, dead: 0, total: 4, diagonalMassShare: 0.5 }],
    },
  },
  temperature: 1,
  validation: { exampleCount: 10, scores: { exampleCount: 10, map: { nll: 0.3, ece: 0.1 }, sublace: { nll: 0.2, ece: 0.05 } } },
};
