import { SublaceError } from '@sublace/errors';
import { TiledMatrix, type TileSource } from '@sublace/linalg';
import type { Block } from '@sublace/partials';
import type { FitPlan, FitTask, OnProgress } from './fit-task.ts';
import { isSpread } from './spread/may-spread.ts';
import type { SpreadFactoriser } from './spread/spread-factoriser.ts';

export type { SpreadFactoriser } from './spread/spread-factoriser.ts';

/** The GGN of a fit: in memory, or as tiles that come one after the other, once. */
export type GgnSource = { readonly held: TileSource } | { readonly streamed: () => AsyncIterable<Block> };

/** Where a finalise task has its matrices from. */
export interface FinaliseSources {
  readonly ggn: GgnSource;
  /** Where the factorisation is spread over the reducers. */
  readonly spread?: SpreadFactoriser;
  close(): void;
}

/**
 * Opens the sources of a finalise task. Tiles that reducers have stay there until they are used, except where the GGN is more than written: where other sizes
 * are cut from it, another GGN is added, or a noise is yet to scale it. Then they come into memory here.
 *
 * @param task  The task.
 * @param plan  Its job's plan.
 * @param size  S.
 * @param onProgress  Told how many tiles of a factor that is spread are finished.
 * @returns  GGN, and who makes the factor; to be closed.
 * @throws {SublaceError} INVALID_ARGUMENT when the factorisation is to be spread and cannot be; UNAVAILABLE when a reducer is lost.
 */
export async function openGgn(task: FitTask, plan: FitPlan, size: number, onProgress?: OnProgress): Promise<FinaliseSources> {
  const { spec, selection, inputs, reducers: access } = task;
  const isSequence = (selection?.smaller.length ?? 0) > 0;
  const spreads = isSpread(spec, { size, isSequence, isValidated: plan.validationCount > 0 }, access?.addresses.length ?? 0);
  if (!access) {
    const tiles = inputs.filter((block) => block.name.startsWith('ggn/'));
    return { ggn: { held: TiledMatrix.fromBlocks(tiles, size) }, close: () => undefined };
  }
  // Loaded here, so that a worker that never finalises a fit with reducers does not load gRPC a second time, in its compute thread.
  const { passing, Reducers } = await import('./spread/reducers.ts');
  const { SpreadFactoriser } = await import('./spread/spread-factoriser.ts');
  const reducers = new Reducers(access, size);
  const close = (): void => reducers.close();
  try {
    const isOnlyWritten = !isSequence && spec.continues === null && !spec.tuneNoise;
    if (isOnlyWritten) {
      return {
        ggn: { streamed: () => passing(reducers.ggn()) },
        ...(spreads && { spread: new SpreadFactoriser(reducers, onProgress) }),
        close,
      };
    }
    const tiles: Block[] = [];
    for await (const tile of reducers.ggn()) tiles.push(tile);
    return { ggn: { held: TiledMatrix.fromBlocks(tiles, size) }, close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * A GGN that must be in memory.
 *
 * @param ggn  Where it is.
 * @returns  The matrix.
 * @throws {SublaceError} INTERNAL when it is not in memory.
 */
export function heldGgn(ggn: GgnSource): TileSource {
  if ('held' in ggn) return ggn.held;
  throw new SublaceError('INTERNAL', 'finalise: expected the GGN in memory, got tiles that come one by one');
}
