import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where models and data of the benchmark are kept; git does not look there. */
const out = join(import.meta.dirname, '..', '..', '..', '..', 'out', 'bench');

/**
 * Folder of something that the benchmark keeps.
 *
 * @param names  Parts of the path.
 * @returns  Path; it need not exist.
 */
export function benchFolder(...names: string[]): string {
  return join(out, ...names);
}

/**
 * Whether a model is there.
 *
 * @param folder  Its folder.
 * @returns  True when it has been written completely.
 */
export function hasModel(folder: string): boolean {
  return existsSync(join(folder, 'model.json'));
}
