import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { METADATA_NAME, type ModelMetadata } from './model-metadata.ts';

/**
 * Writes a model and its metadata into a folder, under temporary names that are renamed at the end.
 *
 * @param folder  Made if missing; a model in it is replaced.
 * @param saved  JSON, whose manifest names `weights.bin`, and weights.
 * @param saved.modelJson  Content of model.json.
 * @param saved.weights  Content of weights.bin.
 * @param metadata  Content of sublace.json.
 * @throws {SublaceError} OUTPUT_UNWRITABLE when the folder cannot be written.
 */
export function saveModel(
  folder: string,
  saved: { readonly modelJson: unknown; readonly weights: Uint8Array },
  metadata: ModelMetadata,
): void {
  const files: [string, string | Uint8Array][] = [
    ['weights.bin', saved.weights],
    [METADATA_NAME, `${JSON.stringify(metadata, null, 2)}\n`],
    ['model.json', JSON.stringify(saved.modelJson)],
  ];
  const temporary = (name: string): string => join(folder, `.${name}.tmp`);
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of files) writeFileSync(temporary(name), content, { flush: true });
    for (const [name] of files) renameSync(temporary(name), join(folder, name));
  } catch (error) {
    discard(files.map(([name]) => temporary(name)));
    const reason = error instanceof Error ? error.message : String(error);
    throw new SublaceError('OUTPUT_UNWRITABLE', `model: expected a folder that can be written, got '${folder}': ${reason}`, {
      cause: error,
    });
  }
}

/** Removes what there is of some files; where even that fails, the first error is the one to tell. */
function discard(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      rmSync(path, { force: true });
    } catch {
      // Nothing was written there: the folder is no folder.
    }
  }
}
