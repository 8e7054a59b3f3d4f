import type { ServingLog } from '../log.ts';
import { silentObserver, type ServingObserver } from '../observe/observer.ts';

/**
 * Writes every change of a version to the log; a failure again only when its reason is another one, however often it is tried.
 *
 * @param log  Where to.
 * @returns  An observer of models only.
 */
export function logChanges(log: ServingLog): ServingObserver {
  const reasons = new Map<string, string | undefined>();
  return {
    ...silentObserver,
    modelChanged({ name, version }, change, reason) {
      const key = `${name} ${version}`;
      const fields = { model: name, version, change };
      if (change === 'failed') {
        if (reasons.get(key) !== reason) log.error({ ...fields, reason }, 'version could not be loaded');
        reasons.set(key, reason);
      } else if (!(change === 'loading' && reasons.has(key))) {
        reasons.delete(key);
        log.info(fields, `version ${change}`);
      }
    },
  };
}
