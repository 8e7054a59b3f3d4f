import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkFiles, describeFile, readVerifiedFile, type ArtifactFile } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { SwagOptions } from '@sublace/training';
import { readSafetensors, writeSafetensors, type Tensor } from '@sublace/tensor-files';
import { modelJsonPath } from '../model/model-files.ts';

/** Files that SWAG keeps beside a model: how they were made, and the variances of its weights. */
export const SWAG_FILES = { record: 'swag.json', variances: 'swag.safetensors' } as const;

/** How the variances of a model's weights were made. */
export interface SwagRecord {
  readonly formatVersion: 1;
  /** sha256 of the model whose weights they belong to. */
  readonly modelDigest: string;
  readonly data: string;
  readonly exampleCount: number;
  readonly options: SwagOptions;
  readonly unmovedCount: number;
  /** The variances' file with its sha256. */
  readonly files: readonly ArtifactFile[];
}

/**
 * Writes the variances beside a model. The record comes last, so that variances without one are never read.
 *
 * @param modelPath  The model: folder, or path of its JSON file.
 * @param variance  In layout order, [P].
 * @param record  How they were made.
 * @returns  The complete record.
 * @throws {SublaceError} OUTPUT_UNWRITABLE when the model's folder cannot be written.
 */
export async function writeSwag(modelPath: string, variance: Float32Array, record: Omit<SwagRecord, 'files'>): Promise<SwagRecord> {
  const folder = dirname(modelJsonPath(modelPath));
  const [variances, json] = [join(folder, SWAG_FILES.variances), join(folder, SWAG_FILES.record)];
  const tensor: Tensor = { dtype: 'F32', shape: [variance.length], data: variance };
  try {
    rmSync(json, { force: true });
    write(variances, writeSafetensors(new Map([['variance', tensor]])));
    const complete = { ...record, files: [await describeFile(variances)] };
    write(json, `${JSON.stringify(complete, null, 2)}\n`);
    return complete;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SublaceError('OUTPUT_UNWRITABLE', `swag: expected a model folder that can be written, got '${folder}': ${reason}`, {
      cause: error,
    });
  }
}

function write(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(temporary, content, { flush: true });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Reads how a model's variances were made, without them.
 *
 * @param modelPath  The model: folder, or path of its JSON file.
 * @param modelDigest  sha256 that the model has now.
 * @returns  The record.
 * @throws {SublaceError} SUBNETWORK_INVALID when there is none, it cannot be used, or it is of another model.
 */
export function readSwagRecord(modelPath: string, modelDigest: string): SwagRecord {
  const file = join(dirname(modelJsonPath(modelPath)), SWAG_FILES.record);
  const remedy = `make it with 'sublace swag --model ${modelPath} --data SPEC'`;
  const invalid = (expected: string, got: string, cause?: unknown): SublaceError =>
    new SublaceError('SUBNETWORK_INVALID', `swag-variance: expected ${expected}, got ${got}; ${remedy}`, { cause });
  if (!existsSync(file)) throw invalid(`'${SWAG_FILES.record}' beside the model`, 'none');
  let record: SwagRecord;
  try {
    record = JSON.parse(readFileSync(file, 'utf8')) as SwagRecord;
    if (record.formatVersion !== 1) throw new Error(`formatVersion ${JSON.stringify(record.formatVersion)}`);
    checkFiles(record.files, file);
    if (typeof record.modelDigest !== 'string') throw new Error('no model digest');
  } catch (error) {
    throw invalid(`a record of version 1 in '${file}'`, error instanceof Error ? error.message : String(error), error);
  }
  if (record.modelDigest !== modelDigest) {
    throw invalid(`snapshots of the model with digest ${modelDigest.slice(0, 16)}`, `those of ${record.modelDigest.slice(0, 16)}`);
  }
  return record;
}

/**
 * Reads the variances of a model's weights.
 *
 * @param modelPath  The model: folder, or path of its JSON file.
 * @param model  What the model is now.
 * @param model.digest  sha256 of the model.
 * @param model.parameterCount  P.
 * @returns  Variances in layout order, [P], and how they were made.
 * @throws {SublaceError} SUBNETWORK_INVALID when there are none, or they are of another model; DIGEST_MISMATCH when the file was changed.
 */
export async function readSwag(
  modelPath: string,
  model: { readonly digest: string; readonly parameterCount: number },
): Promise<{ variance: Float32Array; record: SwagRecord }> {
  const record = readSwagRecord(modelPath, model.digest);
  const folder = dirname(modelJsonPath(modelPath));
  const { tensors } = readSafetensors(await readVerifiedFile({ files: [...record.files] }, folder, SWAG_FILES.variances));
  const data = tensors.get('variance')?.data;
  if (data instanceof Float32Array && data.length === model.parameterCount) return { variance: data, record };
  throw new SublaceError(
    'DATA_INVALID',
    `${SWAG_FILES.variances}: expected 'variance' of ${model.parameterCount} float32, got ${data?.length ?? 'none'}`,
  );
}
