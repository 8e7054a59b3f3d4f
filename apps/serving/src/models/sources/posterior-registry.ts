import { openRegistry } from '@sublace/artifact-store';
import type { Compute } from '../../compute/compute.ts';
import type { ServingLog } from '../../log.ts';
import type { ModelsOptions } from '../options.ts';
import { posteriorVersion } from '../posterior-version.ts';
import { LastKnown } from './last-known.ts';
import type { ModelSource } from './model-source.ts';
import { registrySource } from './registry-source.ts';

/**
 * Follows a registry whose versions are posteriors; each must have the digest that was registered.
 *
 * @param options  Where the registry is, and which names of it to serve.
 * @param compute  Where posteriors are opened.
 * @param log  Where to report.
 * @returns  The source; none without a registry.
 * @throws SublaceError INVALID_ARGUMENT for an address or a name that is none.
 */
export function posteriorRegistry(
  {
    registry: uri,
    registryNames: names,
    covariance,
    lastKnownFile,
  }: Pick<ModelsOptions, 'registry' | 'registryNames' | 'covariance' | 'lastKnownFile'>,
  compute: Pick<Compute, 'load' | 'estimateBytes'>,
  log: ServingLog,
): ModelSource[] {
  if (uri === undefined) return [];
  const source = registrySource({
    registry: openRegistry(uri),
    names,
    versionOf: ({ version, uri: place, digest }) => posteriorVersion(compute, String(version), { place, digest, covariance }),
    log,
    ...(lastKnownFile !== undefined && { lastKnown: new LastKnown(lastKnownFile, uri) }),
  });
  return [source];
}
