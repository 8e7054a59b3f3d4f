import { join } from 'node:path';
import type { ArtifactFile } from '@sublace/artifact-store';
import { CholeskyFactor, explainBadPivot, finiteFactor, type BadPivot, type FactoriseOptions } from '@sublace/linalg';
import { badPrecision, type PosteriorOptions } from '@sublace/posterior';
import { openTileFile } from '../../posterior/tile-file.ts';
import { writeFactor } from '../../posterior/write-posterior.ts';
import type { OnProgress } from '../fit-task.ts';
import type { Reducers } from './reducers.ts';

/** What is factorised: ggn / temperature + diag(priorPrecision). */
export type PrecisionTerms = Pick<PosteriorOptions, 'indices' | 'priorPrecision' | 'describeWeight'> & {
  readonly ggn: Parameters<typeof explainBadPivot>[0];
  readonly temperature: number;
};

/** Factors that the reducers of a fit make together. This process never holds more of one than a tile row. */
export class SpreadFactoriser {
  readonly #reducers: Reducers;
  readonly #onProgress: OnProgress | undefined;

  /**
   * @param reducers  They have the summed GGN. Borrowed.
   * @param onProgress  Told how many tiles of a factor are finished.
   */
  constructor(reducers: Reducers, onProgress?: OnProgress) {
    this.#reducers = reducers;
    this.#onProgress = onProgress;
  }

  /**
   * log det of H / divisor + diag(diagonal).
   *
   * @param options  Divisor and diagonal.
   * @returns  The bits that `factorise` gives; undefined where the matrix has no factor.
   * @throws {SublaceError} UNAVAILABLE when a reducer is lost.
   */
  async logDeterminant(options: FactoriseOptions): Promise<number | undefined> {
    const outcome = await this.#reducers.factorise(options, this.#onProgress);
    if (outcome.status !== 'ok') return undefined;
    try {
      const value = await outcome.logDeterminant();
      return Number.isFinite(value) ? value : undefined;
    } finally {
      outcome.close();
    }
  }

  /**
   * Makes the factor of a posterior precision and writes it into the posterior's folder.
   *
   * @param folder  Of the posterior.
   * @param terms  What is factorised; the GGN serves the message where there is no factor.
   * @returns  The file, and the factor read from it row by row; dispose of the factor.
   * @throws {SublaceError} NUMERICAL_FAILURE as in one process; UNAVAILABLE when a reducer is lost; OUTPUT_UNWRITABLE.
   */
  async factorToFile(folder: string, terms: PrecisionTerms): Promise<{ file: ArtifactFile; factor: CholeskyFactor }> {
    const { ggn, indices, priorPrecision, temperature, describeWeight } = terms;
    const diagonal = typeof priorPrecision === 'number' ? new Float64Array(indices.length).fill(priorPrecision) : priorPrecision;
    const options = { divisor: temperature, diagonal };
    const none = (failure: BadPivot): Error => badPrecision(explainBadPivot(ggn, options, failure), indices, describeWeight);
    const outcome = await this.#reducers.factorise(options, this.#onProgress);
    if (outcome.status !== 'ok') throw none(outcome);
    let file: ArtifactFile;
    try {
      file = await writeFactor(folder, indices.length, outcome.tiles());
    } finally {
      outcome.close();
    }
    const factor = finiteFactor(CholeskyFactor.stream(openTileFile(join(folder, file.name), indices.length, 'factor')));
    if (factor.status !== 'ok') throw none(factor);
    return { file, factor: factor.factor };
  }
}
