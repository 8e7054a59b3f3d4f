import { Batcher, batchingDefaults } from '../src/batching/batcher.ts';
import type { RequestContext } from '../src/inference/request-context.ts';
import type { InferenceService } from '../src/inference/run-inference.ts';
import { ModelRepository } from '../src/models/model-repository.ts';
import type { LoadedModel } from '../src/models/model.ts';
import { observersAsOne, silentObserver, type ServingObserver } from '../src/observe/observer.ts';
import { Statistics } from '../src/observe/statistics.ts';
import { named } from './linear-gaussian-model.ts';

/** A client that waits for ever. */
export const patient: RequestContext = {
  requestId: 'a-request',
  protocol: 'rest',
  signal: new AbortController().signal,
  deadline: Infinity,
  tokenName: null,
  call: null,
};

/**
 * A service with one model, ready and without sockets.
 *
 * @param model  It, under the name `linear`.
 * @param told  Is told of everything.
 * @returns  The service.
 */
export async function readyService(model: LoadedModel, told: ServingObserver = silentObserver): Promise<InferenceService> {
  const statistics = new Statistics();
  const observer = observersAsOne(statistics, told);
  const repository = new ModelRepository(observer);
  await repository.start([named(model)]);
  const batcher = new Batcher(batchingDefaults, observer);
  return { repository, batcher, batching: batchingDefaults, observer, statistics };
}
