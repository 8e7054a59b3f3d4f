/** What a subnetwork takes of one weight tensor of the network. */
export interface CardLayer {
  layer: string;
  /** `kernel`, `bias`, ... */
  weight: string;
  /** Weights chosen, and all. */
  selected: number;
  total: number;
  /** Of the candidates, those that the data say nothing of. */
  dead: number;
  /** Share of the trace of the GGN, over the weights that were scored, that the chosen ones carry; 0 to 1. */
  diagonalMassShare: number;
}

/** Which weights have a distribution; the others stay at their MAP. */
export interface CardSubnetwork {
  /** For example `gradient-energy:1000`, `last-layer`. */
  rule: string;
  /** S, of `parameterCount` weights. */
  size: number;
  seed: number;
  parameterCount: number;
  deadSelectedCount: number;
  diagonalMassShare: number;
  /** In the order of the network's layers. */
  layers: CardLayer[];
}

/** The Gaussian prior over the weights of the subnetwork. */
export interface CardPrior {
  /** Of all weights, or the geometric mean where they differ. */
  precision: number;
  /** Null where means differ. */
  mean: number | null;
  /** `given`, or how it was tuned. */
  method: string;
  structure: string;
  /** Whether the search ended at a bound, so that a wider one may be better. */
  isAtBound: boolean;
  /** By weight tensor where they differ, else empty. */
  tensors: { layer: string; weight: string; precision: number }[];
  /** Loss along the scale of the prior, ascending: mean validation NLL, or minus the log evidence, in nats. Empty when it was given. */
  curve: { precision: number; loss: number }[];
}

/** What it was fitted to. */
export interface CardData {
  spec: string;
  digest: string;
  exampleCount: number;
  validationCount: number;
  /** One value for all, or one for each feature; of raw inputs. */
  inputMean: number[];
  inputStd: number[];
  /** Of a regression, one for each output; empty otherwise. */
  targetMean: number[];
  targetStd: number[];
}

/** Scores on held-out data, as the fit recorded them: of the MAP, and of the predictive that is served. */
export interface CardQuality {
  exampleCount: number;
  /** `nll`, `accuracy`, `ece`, `brier`; of a regression `nll`, `rmse`, in raw units. */
  map: Record<string, number>;
  sublace: Record<string, number>;
}

/** How the covariance of the outputs is computed. */
export interface CardCovariance {
  path: 'exact' | 'truncated';
  /** Directions kept; S for the exact path. */
  rank: number;
  /** Of the truncated path against the exact one, as measured when it was made: names and values; empty for the exact path. */
  errors: Record<string, number>;
}

/** What a page shows of a posterior. JSON: it crosses threads and the network. */
export interface ModelCard {
  kind: 'posterior';
  /** sha256 of everything that determines predictions, and of the model. */
  digest: string;
  modelDigest: string;
  likelihood: 'classification' | 'binary' | 'regression' | 'heteroscedastic';
  /** Shape of one input; C of the network. */
  inputShape: number[];
  outputCount: number;
  /** `ggn`, `mc-fisher:K` or `empirical-fisher`. */
  curvature: string;
  subnetwork: CardSubnetwork;
  prior: CardPrior;
  /** Of a regression in raw units squared, one for each output; null otherwise. */
  noiseVariance: number[] | null;
  /** Of the posterior: covariances are multiplied by it. */
  temperature: number;
  /** Temperature that minimises the MAP's validation NLL; null where there is none. */
  mapTemperature: number | null;
  logLikelihood: number;
  logMarginalLikelihood: number;
  /** Directions of the subnetwork that the data determine, and its standard error. */
  effectiveDimension: number;
  effectiveDimensionError: number;
  covariance: CardCovariance;
  /** Ways from logits to probabilities, the default first; empty where the predictive is exact. */
  links: string[];
  /** Null where the fit had no data to hold out. */
  quality: CardQuality | null;
  data: CardData;
  backend: { name: string; version: string; device: string };
  /** What the user should be told once. */
  notes: string[];
}
