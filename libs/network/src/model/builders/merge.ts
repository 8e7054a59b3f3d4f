import { Add, Concatenate } from '../../layers/merge.ts';
import type { Builders } from './builder.ts';

/** Layers with several inputs. */
export const MERGE_BUILDERS: Builders = {
  Add: (name) => [new Add(name)],
  Concatenate: (name, options) => [new Concatenate(name, options.number('axis', -1))],
};
