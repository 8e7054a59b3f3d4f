import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { DOWNLOADABLE } from './download/catalogue.ts';

/** Environment variables; `process.env` outside of tests. */
export type Environment = Record<string, string | undefined>;

/**
 * Where downloaded data sets are kept: `SUBLACE_CACHE`, else `$XDG_CACHE_HOME/sublace`, else `~/.cache/sublace`, with `data` below.
 *
 * @param env  Environment variables.
 * @returns  A path; it need not exist.
 */
export function dataCache(env: Environment = process.env): string {
  const cache = given(env.SUBLACE_CACHE) ?? join(given(env.XDG_CACHE_HOME) ?? join(homedir(), '.cache'), 'sublace');
  return join(cache, 'data');
}

/** An empty variable counts as not set. */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/**
 * Where named data sets are looked for, in order: `SUBLACE_DATA`, else `$SUBLACE_SHARED/data`, else `../shared/data` beside the checkout;
 * then the user's cache.
 *
 * @param env  Environment variables.
 * @returns  Folders, the cache last; only it need not exist.
 * @throws SublaceError DATA_INVALID when `SUBLACE_DATA` is set to something that is not there.
 */
export function dataDirectories(env: Environment = process.env): string[] {
  if (env.SUBLACE_DATA) {
    if (!existsSync(env.SUBLACE_DATA))
      throw new SublaceError('DATA_INVALID', `SUBLACE_DATA: expected a folder, got ${env.SUBLACE_DATA}, which does not exist`);
    return [env.SUBLACE_DATA, dataCache(env)];
  }
  const shared = env.SUBLACE_SHARED
    ? join(env.SUBLACE_SHARED, 'data')
    : join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'data');
  return [...(existsSync(shared) ? [shared] : []), dataCache(env)];
}

/**
 * The folder of a named data set.
 *
 * @param name  `mnist`, `fashion-mnist`, `cifar10`, `uci-NAME`.
 * @param env  Environment variables.
 * @returns  A folder that exists, or undefined when there is none.
 */
export function findDataset(name: string, env: Environment = process.env): string | undefined {
  const directories = dataDirectories(env);
  // The whole of CIFAR-10, wherever it is, before a subset of it.
  const folders = name === 'cifar10' ? ['cifar10', 'cifar10-subset'] : [name];
  return folders.flatMap((folder) => directories.map((directory) => join(directory, folder))).find((folder) => existsSync(folder));
}

/**
 * The folder of a named data set, which must be there.
 *
 * @param name  As for {@link findDataset}.
 * @param env  Environment variables.
 * @returns  A folder that exists.
 * @throws SublaceError DATA_INVALID naming the places that were searched and the command that downloads it.
 */
export function requireDataset(name: string, env: Environment = process.env): string {
  const folder = findDataset(name, env);
  if (folder !== undefined) return folder;
  const remedy = DOWNLOADABLE.includes(name)
    ? `run 'sublace data download ${name}' or set SUBLACE_DATA`
    : `set SUBLACE_DATA to a folder that has it; known are ${DOWNLOADABLE.join(', ')}`;
  throw new SublaceError(
    'DATA_INVALID',
    `${name}: expected a folder '${name}' in ${dataDirectories(env).join(' or ')}, got none; ${remedy}`,
  );
}
