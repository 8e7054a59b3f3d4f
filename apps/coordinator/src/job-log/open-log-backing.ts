import { join } from 'node:path';
import { RedisLog } from '@sublace/job-store';
import type { CoordinatorOptions } from '../options.ts';
import type { LogBacking } from './job-log.ts';
import { LogFiles } from './log-files.ts';

/**
 * Opens the place of the logs of jobs: beside the jobs, so that both survive together.
 *
 * @param options  Options of the coordinator.
 * @param folder  The state folder.
 * @returns  Redis where the jobs are there, else files of the state folder.
 */
export function openLogBacking({ store, storePassword }: CoordinatorOptions, folder: string): LogBacking {
  return store === undefined ? new LogFiles(join(folder, 'logs')) : new RedisLog({ url: store, password: storePassword });
}
