import type * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { ArchitectureBuilder, ArchitectureOptions } from './architecture.ts';
import { buildLenet5 } from './lenet5.ts';
import { buildMlp } from './mlp.ts';
import { buildResnetSmall } from './resnet-small.ts';
import { buildResnet18 } from './resnet18.ts';
import { buildTransformer } from './transformer.ts';

const builders: Readonly<Record<string, { usage: string; takesArgument: boolean; build: ArchitectureBuilder }>> = {
  mlp: { usage: 'mlp:WIDTHxDEPTH', takesArgument: true, build: buildMlp },
  lenet5: { usage: 'lenet5', takesArgument: false, build: buildLenet5 },
  'resnet-small': { usage: 'resnet-small[:BLOCKS]', takesArgument: true, build: buildResnetSmall },
  resnet18: { usage: 'resnet18', takesArgument: false, build: buildResnet18 },
  transformer: { usage: 'transformer:WIDTHxDEPTH[xHEADS]', takesArgument: true, build: buildTransformer },
};

/** Names that {@link buildArchitecture} understands, as a user would write them. */
export const ARCHITECTURES: readonly string[] = Object.values(builders).map((entry) => entry.usage);

/**
 * A network with fresh weights, by name. The last layer is linear: it answers logits or regression means.
 *
 * @param name  One of {@link ARCHITECTURES}, for example `mlp:50x2`, `lenet5`, `resnet-small`, `resnet18`, `transformer:32x2x4`.
 * @param options  Input shape, outputs, seed.
 * @returns  A LayersModel from [N, ...inputShape] to [N, outputCount]. Owned by the caller, who disposes it.
 * @throws SublaceError USAGE for an unknown name; INVALID_ARGUMENT for a bad size or argument; SHAPE_MISMATCH when inputs do not fit.
 */
export function buildArchitecture(name: string, options: ArchitectureOptions): tf.LayersModel {
  const [family, argument] = splitName(name);
  const entry = Object.hasOwn(builders, family) ? builders[family] : undefined;
  if (!entry || (argument !== undefined && !entry.takesArgument)) {
    throw new SublaceError('USAGE', `architecture: expected ${ARCHITECTURES.join(', ')}, got '${name}'`);
  }
  if (!Number.isInteger(options.outputCount) || options.outputCount < 1) {
    throw new SublaceError('INVALID_ARGUMENT', `${name}: expected at least one output, got ${options.outputCount}`);
  }
  if (options.inputShape.length === 0 || options.inputShape.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new SublaceError('SHAPE_MISMATCH', `${name}: expected an input shape of positive sizes, got [${options.inputShape.join(', ')}]`);
  }
  if (!Number.isSafeInteger(options.seed)) {
    throw new SublaceError('INVALID_ARGUMENT', `${name}: expected an integer seed, got ${options.seed}`);
  }
  return entry.build(options, argument);
}

/** 'mlp:50x2' as ['mlp', '50x2']; 'lenet5' as ['lenet5', undefined]. */
function splitName(name: string): [string, string | undefined] {
  const colon = name.indexOf(':');
  return colon < 0 ? [name, undefined] : [name.slice(0, colon), name.slice(colon + 1)];
}
