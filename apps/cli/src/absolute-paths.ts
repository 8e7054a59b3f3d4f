import { resolve } from 'node:path';
import { formatS3Uri, isS3Uri, parseS3Uri } from '@sublace/artifact-store';
import { parseDataSpec } from '@sublace/data';

const INDICES = 'indices:';

/**
 * The place of an artifact that means the same in every folder.
 *
 * @param place  A path, or an `s3://` URI.
 * @returns  The absolute path, or the URI.
 * @throws {SublaceError} INVALID_ARGUMENT for an `s3:` URI that is none.
 */
export function absolutePlace(place: string): string {
  return isS3Uri(place) ? formatS3Uri(parseS3Uri(place)) : resolve(place);
}

/**
 * A data SPEC that means the same in every folder: paths are made absolute, since the processes that read them may run elsewhere.
 *
 * @param text  SPEC.
 * @returns  SPEC with absolute paths, of the data and of `labels=`; a name as it is.
 * @throws {SublaceError} DATA_INVALID when it is not a SPEC.
 */
export function absoluteDataSpec(text: string): string {
  const { isPath, source, title } = parseDataSpec(text);
  const place = isPath ? `${resolve(source)}${title.slice(source.length)}` : title;
  const keys = text.slice(title.length);
  return place + keys.replace(/([?&]labels=)([^&]+)/, (_, key: string, file: string) => key + resolve(file));
}

/**
 * A selection rule that means the same in every folder: the file of `indices:FILE` is made absolute.
 *
 * @param text  Rule.
 * @returns  Rule with an absolute path, or any other rule as it is.
 */
export function absoluteRule(text: string): string {
  const file = text.startsWith(INDICES) ? text.slice(INDICES.length) : '';
  return file === '' ? text : `${INDICES}${resolve(file)}`;
}
