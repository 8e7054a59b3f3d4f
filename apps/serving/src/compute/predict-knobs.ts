import { SublaceError } from '@sublace/errors';
import { familyOf, type Family, type PosteriorManifest, type PredictOptions } from '@sublace/pipeline';
import type { Link } from '@sublace/predictive';
import type { ModelRequest, ParameterValue } from '../models/model.ts';

/** Knobs that a request may turn. */
export type PredictKnobs = Pick<PredictOptions, 'link' | 'samples' | 'seed' | 'temperature'>;

/** What the caps need to know of a posterior: S, C, and whether its outputs are logits. */
export interface PosteriorSizes {
  readonly subnetworkSize: number;
  readonly outputCount: number;
}

const samplesMax = 100_000;

/** More draws of logits than this for one request take longer than a client waits, and hold up everybody else. */
const logitDrawsMax = 10_000_000;

/** Normal deviates of one request's functions, K S: 64 MiB in float32, and two seconds' work. */
const deviatesMax = 2 ** 24;

/** Elements of the output `samples`, N K C: 64 MiB in float32, as much as a request may be. */
const functionValuesMax = 2 ** 24;

/** As the pipeline has them. */
const defaultDraws = { logits: 1000, functions: 10 };

/**
 * Knobs of a prediction from the parameters of a request.
 *
 * @param parameters  Without the names that the protocol reserves.
 * @param likelihood  Decides which knobs there are: a regression has no links and no temperature, since its predictive is exact.
 * @returns  Checked knobs.
 * @throws SublaceError INVALID_ARGUMENT for an unknown name or a value out of range; a misspelt knob must not be an ignored one.
 */
export function knobsOf(parameters: Readonly<Record<string, ParameterValue>>, likelihood: PosteriorManifest['likelihood']): PredictKnobs {
  const { links } = familyOf(likelihood);
  const readers: Record<string, (value: ParameterValue) => PredictKnobs> = {
    ...(links.length > 0 && { link: (value) => ({ link: linkOf(value, links) }) }),
    samples: (value) => ({ samples: wholeNumber('samples', value, 1, samplesMax) }),
    seed: (value) => ({ seed: wholeNumber('seed', value, 0, 2 ** 32 - 1) }),
    ...(links.length > 0 && { temperature: (value) => ({ temperature: positiveNumber('temperature', value) }) }),
  };
  const knobs = Object.entries(parameters).map(([name, value]) => {
    if (Object.hasOwn(readers, name)) return readers[name](value);
    const known = Object.keys(readers).join(', ');
    throw new SublaceError('INVALID_ARGUMENT', `request parameters: expected ${known} for ${likelihood}, got '${name}'`);
  });
  return Object.assign({}, ...knobs) as PredictKnobs;
}

/**
 * Refuses a request that would hold up everybody else, or whose draws fit no memory.
 *
 * @param request  Outputs and number of examples.
 * @param knobs  Of it.
 * @param sizes  Of the posterior.
 * @throws SublaceError INVALID_ARGUMENT saying which cap, and what was asked.
 */
export function checkDraws({ count, outputs }: ModelRequest, knobs: PredictKnobs, { subnetworkSize, outputCount }: PosteriorSizes): void {
  const refuse = (what: string, most: number, got: string): never => {
    throw new SublaceError('INVALID_ARGUMENT', `${what}: expected at most ${most} for a request, got ${got}; ask for fewer`);
  };
  if (knobs.link === 'monte-carlo' || outputs.includes('mutual_information')) {
    const draws = knobs.samples ?? defaultDraws.logits;
    if (draws * count > logitDrawsMax) refuse('draws of logits', logitDrawsMax, `${count} examples of ${draws}`);
  }
  if (outputs.includes('samples')) {
    const functions = knobs.samples ?? defaultDraws.functions;
    if (functions * subnetworkSize > deviatesMax) {
      refuse('draws of weights', deviatesMax, `${functions} functions of ${subnetworkSize} weights`);
    }
    if (functions * count * outputCount > functionValuesMax) {
      refuse('values of samples', functionValuesMax, `${count} examples of ${functions} functions of ${outputCount} outputs`);
    }
  }
}

function linkOf(value: ParameterValue, links: Family['links']): Link {
  const link = links.find((candidate) => candidate === value);
  if (!link) throw new SublaceError('INVALID_ARGUMENT', `parameter link: expected ${links.join(', ')}, got '${value}'`);
  return link;
}

function wholeNumber(name: string, value: ParameterValue, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SublaceError('INVALID_ARGUMENT', `parameter ${name}: expected a whole number from ${min} to ${max}, got '${value}'`);
}

function positiveNumber(name: string, value: ParameterValue): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw new SublaceError('INVALID_ARGUMENT', `parameter ${name}: expected a positive number, got '${value}'`);
}
