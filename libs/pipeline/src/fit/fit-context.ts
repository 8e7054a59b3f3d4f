import {
  datasetDigest,
  fitNormalisation,
  loadDataset,
  splitRows,
  splitValidation,
  type Dataset,
  type Normalisation,
  type ValidationSplit,
} from '@sublace/data';
import type { LikelihoodKind } from '@sublace/likelihoods';
import type { Network } from '@sublace/network';
import { familyOf } from '../families/family-of.ts';
import { openModel, type Model } from '../model/open-model.ts';
import { prepareData, type PreparedData } from '../prepared-data.ts';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { readPosteriorManifest } from '../posterior/read-posterior.ts';
import type { FitSpec } from './fit-spec.ts';

/** Model and data of a job, read once per process. */
export interface FitContext {
  readonly model: Model;
  readonly likelihood: LikelihoodKind;
  readonly normalisation: Normalisation;
  readonly training: PreparedData;
  readonly validation: PreparedData | undefined;
  /** Of the raw training examples. */
  readonly dataDigest: string;
  /** Manifest of the posterior that the fit continues. */
  readonly previous?: PosteriorManifest;
}

let current: { readonly key: string; readonly context: FitContext } | undefined;

/**
 * Model and data of a job. The last job's are kept, since a worker runs many tasks of one job in a row.
 *
 * @param jobId  The job.
 * @param spec  Its specification.
 * @returns  Model, training and validation data.
 * @throws {SublaceError} MODEL_INVALID, MODEL_UNSUPPORTED or DATA_INVALID.
 */
export async function openFitContext(jobId: string, spec: FitSpec): Promise<FitContext> {
  const key = `${jobId} ${JSON.stringify(spec)}`;
  if (current?.key === key) return current.context;
  current?.context.model.dispose();
  current = undefined;
  const model = openModel(spec.model);
  try {
    const previous = spec.continues === null ? undefined : await readPosteriorManifest(spec.continues);
    const context = { ...(await readFitData(model, spec, previous?.normalisation)), ...(previous && { previous }) };
    current = { key, context };
    return context;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** What of a {@link FitSpec} says how the data are read. */
export type FitDataSpec = Pick<FitSpec, 'data' | 'likelihood' | 'validation' | 'normalisation'>;

/**
 * The data of a fit, in the units and shape that its model takes.
 *
 * @param model  The model. Borrowed, and part of the answer.
 * @param spec  Which data, and how to read them.
 * @param known  Normalisation that is known already, as from a posterior.
 * @returns  Training and validation data.
 * @throws {SublaceError} MODEL_UNSUPPORTED or DATA_INVALID when they do not fit the model.
 */
export async function readFitData(model: Model, spec: FitDataSpec, known?: Normalisation): Promise<FitContext> {
  const { metadata, network } = model;
  const wanted = spec.likelihood === 'auto' ? (metadata?.likelihood ?? impliedBy(network)) : spec.likelihood;
  if (wanted) familyOf(wanted).checkNetwork(network);
  const use = wanted && familyOf(wanted).targetUse;
  const load = (data: string): Promise<Dataset> => loadDataset(data, { split: 'train', ...(use && { likelihood: use }) });
  const whole = await load(spec.data);
  const likelihood = wanted ?? (whole.targets.kind === 'labels' ? 'classification' : 'regression');
  if (!wanted) familyOf(likelihood).checkNetwork(network);
  const { training, validation, rows } = await splitOff(whole, spec, model, load);
  const normalisation = known ?? metadata?.normalisation ?? normalisationOf(spec, training);
  const prepare = (dataset: Dataset, from: Uint32Array | undefined): PreparedData => ({
    ...prepareData(dataset, network, { likelihood, normalisation }),
    ...(from && { rows: from }),
  });
  return {
    model,
    likelihood,
    normalisation,
    training: prepare(training, rows?.training),
    validation: validation && validation.count > 0 ? prepare(validation, rows?.validation) : undefined,
    dataDigest: datasetDigest(training),
  };
}

/** Training data without the validation examples, and the validation examples; which rows they are of data that were split. */
interface SplitData {
  readonly training: Dataset;
  readonly validation?: Dataset;
  readonly rows?: { readonly training: Uint32Array; readonly validation: Uint32Array };
}

async function splitOff(
  whole: Dataset,
  spec: FitDataSpec,
  { metadata }: Model,
  load: (data: string) => Promise<Dataset>,
): Promise<SplitData> {
  const { validation } = spec;
  if (validation === 'none') return { training: whole };
  if (validation === 'as-trained') {
    // The very split of the training run, where this is the data of that run: then no validation example was ever trained on.
    const split = metadata?.data === spec.data ? metadata.validation : undefined;
    return split ? splitIn(whole, split) : { training: whole };
  }
  return 'data' in validation ? { training: whole, validation: await load(validation.data) } : splitIn(whole, validation);
}

function splitIn(whole: Dataset, split: ValidationSplit): SplitData {
  return { ...splitValidation(whole, split), rows: splitRows(whole.count, split) };
}

/** A sigmoid at the end says yes or no; other endings leave it to the data. */
function impliedBy({ outputActivation }: Network): LikelihoodKind | undefined {
  return outputActivation === 'sigmoid' ? 'binary' : undefined;
}

function normalisationOf(spec: FitDataSpec, training: Dataset): Normalisation {
  if (spec.normalisation === 'standard') return fitNormalisation(training);
  const targets = training.targets.kind === 'values' ? { targetMean: [0], targetStd: [1] } : {};
  return { inputMean: [0], inputStd: [spec.normalisation === 'unit' ? 255 : 1], ...targets };
}
