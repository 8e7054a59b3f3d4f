import { basename, resolve } from 'node:path';
import { isS3Uri, parseS3Uri } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { ServeOptions } from './read-options.ts';

/** One posterior that is served by its place. */
export interface NamedPlace {
  readonly name: string;
  readonly place: string;
  /** Folder of its model; the posterior's own copy when absent. */
  readonly model?: string;
}

/** What a name in an address may be. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * The posteriors that `--posterior` names: `NAME=PLACE`, or a place that is named after its last part.
 *
 * @param options  `posterior`, `model`, `name`.
 * @returns  In the order given; the last of several of one name is its newest version.
 * @throws SublaceError USAGE for a name that cannot stand in an address.
 */
export function posteriorPlaces({ posterior = [], model, name }: Pick<ServeOptions, 'posterior' | 'model' | 'name'>): NamedPlace[] {
  return posterior.map((text) => {
    const [, given, rest] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(text) ?? [undefined, name, text];
    const place = rest ?? text;
    const called = given ?? nameOf(place);
    if (!namePattern.test(called)) {
      throw new SublaceError(
        'USAGE',
        `--posterior ${text}: expected a name of up to 100 letters, digits, '.', '_' and '-', got '${called}'; use NAME=PLACE`,
      );
    }
    return { name: called, place, ...(model !== undefined && { model }) };
  });
}

/** The last part of a path or a URI. */
function nameOf(place: string): string {
  return basename(isS3Uri(place) ? parseS3Uri(place).prefix : resolve(place));
}
