/** Loads posteriors: the module that the compute thread of a serving process runs. */
import { startBackend } from '@sublace/backend';
import { openPosterior } from '@sublace/pipeline';
import type { ModelLoader } from './model-loader.ts';
import { posteriorModel } from './posterior-model.ts';

const loader: ModelLoader = {
  start: async ({ threads }) => ({ ...(await startBackend(threads === undefined ? {} : { threads })) }),
  load: async ({ place, model }) => posteriorModel(await openPosterior(place, model === undefined ? {} : { model })),
};

export default loader;
