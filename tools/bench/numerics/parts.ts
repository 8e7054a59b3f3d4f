import type { Part } from './bench.ts';
import { accumulate } from './parts/accumulate.ts';
import { columns } from './parts/columns.ts';
import { factorisation } from './parts/factorisation.ts';
import { leak } from './parts/leak.ts';
import { prediction } from './parts/prediction.ts';
import { priorTuning } from './parts/prior-tuning.ts';
import { thousandClasses } from './parts/thousand-classes.ts';
import { tileUpdate } from './parts/tile-update.ts';
import { wholeFit } from './parts/whole-fit.ts';

/** The parts of the numerics benchmark by name, in the order in which they run. */
export const PARTS: Readonly<Record<string, Part>> = {
  columns,
  'tile-update': tileUpdate,
  accumulate,
  factorisation,
  prediction,
  'prior-tuning': priorTuning,
  'whole-fit': wholeFit,
  'thousand-classes': thousandClasses,
  leak,
};
