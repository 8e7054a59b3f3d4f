import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { checkFinite, checkLabels } from './checks.ts';
import { requireDataset } from './data-directory.ts';
import { readSplit, type Dataset, type Split, type SplitSource } from './dataset.ts';
import { digits } from './generators/digits.ts';
import { toy1d } from './generators/toy-1d.ts';
import { readArchiveFile, readNpyFile } from './readers/arrays.ts';
import { readCifar } from './readers/cifar.ts';
import { readCsv } from './readers/csv.ts';
import { inFile, readDataFile } from './readers/data-file.ts';
import { flagsFrom, labelsFrom, type LikelihoodHint, type TargetUse } from './readers/from-tensors.ts';
import { cifarFolder, idxFolder, readIdxFile } from './readers/images.ts';
import { readUci } from './readers/uci.ts';
import { rotateImages } from './rotate.ts';
import { checkKeys, parseDataSpec, type DataSpec, type SpecKeys } from './spec.ts';
import { sliceDataset } from './subsets.ts';

/** What the caller knows beyond the SPEC. */
export interface LoadOptions {
  /** Split where the SPEC names none; default `train`. Files without parts are read whole. */
  split?: Split;
  /** What the targets are for; default: labels where they are stored as whole numbers of a binary format, else values. */
  likelihood?: TargetUse;
}

const RANGE = ['limit', 'offset'] as const satisfies readonly (keyof SpecKeys)[];

/**
 * Loads a data set: the same SPEC and files give the same examples in the same order.
 *
 * @param text  SPEC: `NAME[:VARIANT...][?key=value&...]` or `PATH[?key=value&...]`.
 * @param options  Split and likelihood.
 * @returns  Raw units, every value finite, labels in range.
 * @throws SublaceError DATA_INVALID with what was expected, what came and what to do.
 */
export async function loadDataset(text: string, options: LoadOptions = {}): Promise<Dataset> {
  const spec = parseDataSpec(text);
  const source = spec.isPath ? await openPath(spec, options.likelihood) : await openName(spec);
  let dataset: Dataset;
  if ('train' in source) {
    dataset = await readSplit(source, spec.keys.split ?? options.split ?? 'train');
  } else {
    if (spec.keys.split !== undefined && spec.keys.split !== 'all') {
      throw new SublaceError(
        'DATA_INVALID',
        `${spec.title}: expected a source with a training and a test part for split=${spec.keys.split}, got one part; leave the key away`,
      );
    }
    dataset = source;
  }
  dataset = { ...dataset, name: dataset.name === 'cifar10-subset' ? dataset.name : spec.title };
  dataset = takeRange(dataset, spec.keys);
  if (spec.keys.rotate !== undefined) dataset = rotateImages(dataset, spec.keys.rotate);
  dataset = fitLikelihood(dataset, options.likelihood);
  checkFinite(dataset);
  if (dataset.targets.kind === 'labels') checkLabels(dataset);
  return dataset;
}

async function openName(spec: DataSpec): Promise<SplitSource> {
  const { source: name, keys } = spec;
  switch (name) {
    case 'digits':
      checkKeys(spec, ['split', ...RANGE, 'seed', 'count', 'rotate']);
      return digits({ seed: keys.seed ?? 0, ...(keys.count === undefined ? {} : { count: keys.count }) });
    case 'toy-1d':
      checkKeys(spec, ['split', ...RANGE, 'seed', 'count']);
      return toy1d({ seed: keys.seed ?? 0, ...(keys.count === undefined ? {} : { count: keys.count }) });
    case 'mnist':
    case 'fashion-mnist':
      checkKeys(spec, ['split', ...RANGE, 'rotate']);
      return idxFolder(name, requireDataset(name), 10);
    case 'cifar10': {
      checkKeys(spec, ['split', ...RANGE, 'rotate']);
      const folder = requireDataset(name);
      // The name tells whoever reads the results that this was not the whole set.
      return cifarFolder(basename(folder), folder);
    }
    default:
      checkKeys(spec, ['split', ...RANGE]);
      return readUci(spec.title, requireDataset(name), spec.variant ?? { kind: 'standard', index: 0 });
  }
}

async function openPath(spec: DataSpec, likelihood: LikelihoodHint): Promise<Dataset | SplitSource> {
  const { source: path, keys, title } = spec;
  if (!existsSync(path)) throw new SublaceError('DATA_INVALID', `${path}: expected a data file or folder, got no such file`);
  if (statSync(path).isDirectory()) return openFolder(spec);
  if (spec.variant) throw new SublaceError('DATA_INVALID', `${title}: expected a folder in the UCI layout for a variant, got a file`);

  const format =
    /\.(csv|tsv|npy|npz|safetensors|bin)(\.gz)?$/i.exec(path)?.[1].toLowerCase() ??
    (/idx\d|ubyte/.test(basename(path)) ? 'idx' : undefined);
  switch (format) {
    case 'csv':
    case 'tsv': {
      checkKeys(spec, [...RANGE, 'target']);
      const text = new TextDecoder().decode(await readDataFile(path));
      return readCsv(path, text, {
        likelihood,
        ...(keys.target === undefined ? {} : { target: keys.target }),
        ...(format === 'tsv' ? { delimiter: '\t' } : {}),
      });
    }
    case 'npy':
      checkKeys(spec, [...RANGE, 'labels', 'rotate']);
      return readNpyFile(path, path, keys.labels, likelihood);
    case 'npz':
    case 'safetensors':
      checkKeys(spec, ['split', ...RANGE, 'rotate', 'inputs']);
      return readArchiveFile(path, path, likelihood, keys.inputs);
    case 'bin': {
      checkKeys(spec, [...RANGE, 'rotate']);
      const bytes = await readDataFile(path);
      return inFile(path, () => readCifar('cifar', [bytes]));
    }
    case 'idx':
      checkKeys(spec, [...RANGE, 'labels', 'rotate']);
      return readIdxFile(path, path, keys.labels ?? labelsBeside(path), likelihood);
    default:
      throw new SublaceError(
        'DATA_INVALID',
        `${path}: expected .csv, .tsv, .npy, .npz, .safetensors, .bin (CIFAR-10) or an idx name such as train-images-idx3-ubyte, each also with .gz, got another extension`,
      );
  }
}

async function openFolder(spec: DataSpec): Promise<SplitSource> {
  const { source: folder, title } = spec;
  const has = (file: string): boolean => existsSync(join(folder, file)) || existsSync(join(folder, `${file}.gz`));
  if (has('data.txt')) {
    checkKeys(spec, ['split', ...RANGE]);
    return readUci(title, folder, spec.variant ?? { kind: 'standard', index: 0 });
  }
  checkKeys(spec, ['split', ...RANGE, 'rotate']);
  if (has('train-images-idx3-ubyte')) return idxFolder(title, folder);
  if (has('data_batch_1.bin')) return cifarFolder(title, folder);
  throw new SublaceError(
    'DATA_INVALID',
    `${folder}: expected a folder with data.txt (UCI), train-images-idx3-ubyte (IDX) or data_batch_1.bin (CIFAR-10), got none of them`,
  );
}

/** The label file that goes with an image file by the naming of the MNIST database, if it is there. */
function labelsBeside(path: string): string | undefined {
  const labels = path.replace(/images([-.])idx3/, 'labels$1idx1');
  return labels !== path && existsSync(labels) ? labels : undefined;
}

function takeRange(dataset: Dataset, { offset = 0, limit }: SpecKeys): Dataset {
  if (offset === 0 && limit === undefined) return dataset;
  if (offset >= dataset.count)
    throw new SublaceError('DATA_INVALID', `${dataset.name}: expected offset below the ${dataset.count} examples, got ${offset}`);
  return sliceDataset(dataset, offset, Math.min(limit ?? Infinity, dataset.count - offset));
}

function fitLikelihood(dataset: Dataset, likelihood: LikelihoodHint): Dataset {
  const { name, targets } = dataset;
  if (likelihood === 'regression' && targets.kind === 'labels') {
    throw new SublaceError('DATA_INVALID', `${name}: expected regression targets, got class labels; use a classification likelihood`);
  }
  if (likelihood === 'classification' && targets.kind === 'values')
    return { ...dataset, targets: labelsFrom(name, targets.values, targets.width) };
  if (likelihood === 'binary' && targets.kind === 'labels') return { ...dataset, targets: flagsFrom(name, targets.labels) };
  if (likelihood === 'binary' && targets.kind === 'values') return { ...dataset, targets: flagsFrom(name, targets.values, targets.width) };
  return dataset;
}
