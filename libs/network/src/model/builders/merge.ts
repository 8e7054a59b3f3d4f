import { Concatenate } from '../../layers/concatenate.ts';
import { Dot } from '../../layers/dot.ts';
import { Merge, MERGE_RULES } from '../../layers/merge.ts';
import type { Builders } from './builder.ts';

/** Layers with several inputs. */
export const MERGE_BUILDERS: Builders = {
  ...Object.fromEntries(Object.keys(MERGE_RULES).map((className) => [className, (name: string) => [new Merge(name, className)]])),
  Concatenate: (name, options) => [new Concatenate(name, options.number('axis', -1))],
  Dot: (name, options) => [new Dot(name, options.axes(), options.flag('normalize', false))],
};
