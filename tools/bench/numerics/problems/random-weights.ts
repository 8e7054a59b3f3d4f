import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { benchFolder, hasModel } from './folders.ts';
import type { Problem } from './problem.ts';
import type { RandomModel } from './random-models.ts';

const maker = join(import.meta.dirname, 'make-random-model.ts');

/**
 * A network with random weights: speed and memory do not depend on what it has learned, but on how sure it is, which is given.
 *
 * @param title  Network and data, in print.
 * @param name  Of the model in `random-models.ts`.
 * @param source  Data SPEC without a limit; default: noise, kept beside the model.
 * @returns  The problem.
 */
export function randomWeights(title: string, name: RandomModel, source?: string): Problem {
  const model = benchFolder('models', name);
  const data = source ?? join(model, NOISE_FILE);
  return {
    title,
    model,
    data: (count) => `${data}?limit=${count}`,
    prepare() {
      if (hasModel(model)) return;
      // In a process of its own: this one has no runtime.
      const run = spawnSync(process.execPath, [maker, name, model], { stdio: 'inherit' });
      if (run.status !== 0) throw new Error(`${name}: expected its model to be made, got status ${run.status ?? 'none'}`);
    },
  };
}

/** Inputs and labels without meaning. */
export const NOISE_FILE = 'noise.safetensors';
