import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { SublaceError } from '@sublace/errors';
import type { ModelFiles } from '@sublace/network';

/**
 * Reads a tf.js LayersModel from disk: `model.json` and the weight files that it names.
 *
 * @param path  A folder with model.json, or the path of the JSON file.
 * @returns  JSON and concatenated weights.
 * @throws {SublaceError} MODEL_INVALID when a file is missing, is not JSON, or names weights outside its folder.
 */
export function readModelFiles(path: string): ModelFiles {
  const file = modelJsonPath(path);
  const modelJson = parseJson(file);
  const groups = (modelJson as { weightsManifest?: { paths?: string[] }[] } | null)?.weightsManifest ?? [];
  const folder = resolve(dirname(file));
  const parts = groups
    .flatMap((group) => group.paths ?? [])
    .map((name) => {
      const target = join(folder, name);
      if (!target.startsWith(folder + sep))
        throw new SublaceError('MODEL_INVALID', `${file}: expected weight files beside it, got the path '${name}'`);
      if (!existsSync(target)) throw new SublaceError('MODEL_INVALID', `${file}: expected the weight file '${name}' beside it, got none`);
      return readFileSync(target);
    });
  return { modelJson, weights: Buffer.concat(parts) };
}

/**
 * Path of a model's JSON file.
 *
 * @param path  A folder with model.json, or the path of the JSON file.
 * @returns  Path of the JSON file.
 * @throws {SublaceError} MODEL_INVALID when there is none.
 */
export function modelJsonPath(path: string): string {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'model.json') : path;
  if (!existsSync(file)) {
    throw new SublaceError(
      'MODEL_INVALID',
      `model: expected a tf.js LayersModel (a folder with model.json), got nothing at '${path}'; train one with 'sublace train'`,
    );
  }
  return file;
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SublaceError('MODEL_INVALID', `${file}: expected JSON, got ${error instanceof Error ? error.message : 'something else'}`, {
      cause: error,
    });
  }
}
