import { resolve } from 'node:path';
import { parseDataSpec } from '@sublace/data';

/**
 * A data SPEC that means the same in every folder: paths are made absolute, since the processes that read them may run elsewhere.
 *
 * @param text  SPEC.
 * @returns  SPEC with an absolute path, or a name as it is.
 * @throws {SublaceError} DATA_INVALID when it is not a SPEC.
 */
export function absoluteDataSpec(text: string): string {
  const { isPath, source } = parseDataSpec(text);
  return isPath ? `${resolve(source)}${text.slice(source.length)}` : text;
}
