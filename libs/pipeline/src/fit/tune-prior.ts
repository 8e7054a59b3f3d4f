import { SublaceError } from '@sublace/errors';
import { denseOf } from '@sublace/linalg';
import { searchPriorPrecision, Spectrum, type ChoiceRule, type PriorPoint } from '@sublace/posterior';
import type { FitContext } from './fit-context.ts';
import type { FitSpec, PriorMethod } from './fit-spec.ts';
import { notFiniteError } from './find-not-finite.ts';
import type { FitPlan } from './fit-task.ts';
import { geometricMean } from './geometric-mean.ts';
import { readPriorPrecisions } from './given-prior.ts';
import type { PriorStructure } from './prior-groups.ts';
import {
  scalarByEvidence,
  scalarByFactorisations,
  structuredByEvidence,
  type EvidenceInputs,
  type SearchLimits,
  type StructuredPrior,
} from './tune-by-evidence.ts';
import { ValidationLoss } from './validation-loss.ts';
import { valuesAt } from './weight-values.ts';

/** Above this an eigendecomposition, which serves every way to tune, takes minutes to hours. */
export const SPECTRUM_SIZE_MAX = 8000;

/** Above this the factorisations of a search by the evidence alone do. */
export const EVIDENCE_SIZE_MAX = 20_000;

/** How the prior precision was found. */
export interface TunedPrior {
  /** One for all, or [S]. */
  readonly priorPrecision: number | Float64Array;
  readonly method: 'given' | Exclude<PriorMethod, 'auto'>;
  readonly structure: PriorStructure;
  /** The GGN is multiplied by it and the noise divided; 1 unless the noise was found too. */
  readonly dataScale: number;
  readonly isAtBound?: boolean;
  /** Loss along the common scale of the prior, in ascending order of the prior precision (its geometric mean). */
  readonly curve?: readonly PriorPoint[];
  /** Log evidence by round of the climb over weight tensors or weights. */
  readonly ascent?: readonly number[];
}

/** Which prior is wanted. */
export type PriorWish = Pick<FitSpec, 'priorPrecision' | 'priorStructure' | 'priorTolerance' | 'priorBounds' | 'priorPatience'>;

/** The prior of a posterior that is continued or merged. */
export interface KeptPrior {
  /** [S] */
  readonly priorPrecision: Float64Array;
  readonly structure: PriorStructure;
}

/** Held-out data to choose by. */
export interface HeldOut {
  readonly plan: FitPlan;
  readonly model: FitContext['model'];
  readonly validation: NonNullable<FitContext['validation']>;
}

/**
 * Finds the prior precision: as given, by the evidence, or by the mean validation NLL of the linearised predictive (the smallest, or the widest posterior
 * that is no worse). One eigendecomposition of the GGN and one pass over the validation Jacobians serve a whole grid. Where weight tensors or weights have
 * priors of their own the evidence decides their ratios, and the method the scale that they share.
 *
 * @param wish  Value or method, structure, bounds.
 * @param inputs  GGN and subnetwork; with `noise`, the noise is found too.
 * @param heldOut  Held-out data, where there are any.
 * @param kept  For the method `kept`.
 * @returns  The precision and how it was found.
 * @throws {SublaceError} NUMERICAL_FAILURE when no prior precision has a finite loss; INVALID_ARGUMENT for a file that does not fit.
 */
export async function tunePrior(
  wish: PriorWish,
  inputs: EvidenceInputs,
  heldOut: HeldOut | undefined,
  kept?: KeptPrior,
): Promise<TunedPrior> {
  const { priorPrecision: wanted, priorStructure: structure } = wish;
  if (typeof wanted === 'number') return { priorPrecision: wanted, method: 'given', structure: 'scalar', dataScale: 1 };
  if (typeof wanted === 'object') return fromFile(wanted.file, inputs);
  if (wanted === 'kept') {
    if (!kept) throw new SublaceError('INTERNAL', 'priorPrecision: expected a prior to keep, got none');
    return { ...kept, method: wanted, dataScale: 1 };
  }
  const method = wanted === 'auto' ? (heldOut ? 'widest' : 'evidence') : wanted;
  const limits: SearchLimits = { bounds: wish.priorBounds, patience: wish.priorPatience };
  if (method === 'evidence' && structure === 'scalar' && !inputs.noise && inputs.indices.length > SPECTRUM_SIZE_MAX) {
    const { best, curve, isAtBound } = await scalarByFactorisations(inputs, limits.bounds);
    if (!Number.isFinite(best.loss)) throw noFiniteEvidence();
    return { priorPrecision: best.priorPrecision, method, structure, dataScale: 1, isAtBound, curve };
  }
  const shape = structure === 'scalar' ? undefined : structuredByEvidence(structure, inputs, limits);
  if (shape && method === 'evidence') return { ...shape, method, structure };
  return { ...withScale(wish, inputs, method === 'evidence' ? undefined : heldOut, shape), method, structure };
}

/** The scale of a prior whose shape is known, or of a scalar one. */
function withScale(
  wish: PriorWish,
  inputs: EvidenceInputs,
  heldOut: HeldOut | undefined,
  shape: StructuredPrior | undefined,
): Omit<TunedPrior, 'method' | 'structure'> {
  const { ggn, indices, temperature, noise } = inputs;
  const limits: SearchLimits = { bounds: wish.priorBounds, patience: wish.priorPatience };
  const centre = shape && geometricMean(shape.priorPrecision);
  const priorShape = shape && centre !== undefined ? shape.priorPrecision.map((value) => value / centre) : undefined;
  const spectrum = new Spectrum(denseOf(ggn), indices.length, { temperature, ...(priorShape && { priorShape }) });
  try {
    const { search, dataScale } = heldOut
      ? byValidation(spectrum, indices, heldOut, wish, noise !== undefined)
      : scalarByEvidence(spectrum, inputs, limits);
    const { best, curve, isAtBound } = search;
    if (!Number.isFinite(best.loss)) {
      throw heldOut ? noFiniteLoss(heldOut, indices) : noFiniteEvidence();
    }
    return {
      priorPrecision: priorShape ? priorShape.map((value) => value * best.priorPrecision) : best.priorPrecision,
      dataScale,
      isAtBound: isAtBound || shape?.isAtBound === true,
      curve,
      ...(shape && { ascent: shape.ascent }),
    };
  } finally {
    spectrum.dispose();
  }
}

function noFiniteEvidence(): SublaceError {
  return new SublaceError('NUMERICAL_FAILURE', 'priorPrecision: expected a finite evidence loss at some value, got none; give a number');
}

/** One example whose numbers are not finite spoils the mean over all. */
function noFiniteLoss({ model: { network }, validation }: HeldOut, indices: Int32Array): SublaceError {
  const entries = network.layout.split(indices).map(({ entry }) => entry);
  const range = { start: 0, count: validation.count };
  return notFiniteError({ network, data: validation, part: 'validation', what: 'mean NLL', range, entries });
}

function byValidation(
  spectrum: Spectrum,
  indices: Int32Array,
  { plan, model, validation }: HeldOut,
  { priorPrecision: method, priorTolerance, priorBounds }: PriorWish,
  isNoiseFree: boolean,
): ReturnType<typeof scalarByEvidence> {
  const rule: ChoiceRule = method === 'validation' ? { kind: 'smallest-loss' } : { kind: 'widest', tolerance: priorTolerance };
  const losses = new ValidationLoss(spectrum, indices, plan, model, validation);
  try {
    // The grid is of the ratio of prior to data; with the noise given that is the prior precision itself.
    const scales = new Map<number, number>();
    const search = searchPriorPrecision(
      (grid) =>
        losses.at(grid, isNoiseFree).map(({ loss, dataScale }, g) => {
          scales.set(grid[g], dataScale);
          return loss;
        }),
      rule,
      priorBounds,
    );
    const scaleOf = ({ priorPrecision }: PriorPoint): number => scales.get(priorPrecision) ?? 1;
    const scaled = (point: PriorPoint): PriorPoint => ({ ...point, priorPrecision: point.priorPrecision * scaleOf(point) });
    return { search: { ...search, best: scaled(search.best), curve: search.curve.map(scaled) }, dataScale: scaleOf(search.best) };
  } finally {
    losses.dispose();
  }
}

function fromFile(file: string, { indices, layout }: EvidenceInputs): TunedPrior {
  const values = readPriorPrecisions(file);
  const priorPrecision = valuesAt(values, indices, layout, 'priorPrecision');
  return { priorPrecision, method: 'given', structure: values.kind === 'named' ? 'layer' : 'weight', dataScale: 1 };
}
