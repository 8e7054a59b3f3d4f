import { findDataset } from '@sublace/data';
import type { Problem } from './problem.ts';
import { randomWeights } from './random-weights.ts';
import { trainedOnDigits } from './trained-on-digits.ts';

const hasCifar = findDataset('cifar10') !== undefined;

/** The problems of the benchmark, by name. */
export const PROBLEMS = {
  lenet5: trainedOnDigits('LeNet-5 (61,706 weights)', 'lenet5'),
  mlp: trainedOnDigits('MLP (two layers of 100)', 'mlp:100x2', { examples: 10_000, epochs: 5 }),
  transformer: trainedOnDigits('transformer 32x2x4', 'transformer:32x2x4', { examples: 4000, epochs: 3 }),
  resnet18: randomWeights(
    `ResNet-18 (11.2 million weights), ${hasCifar ? 'CIFAR-10' : 'noise'}, random weights`,
    'resnet18',
    hasCifar ? 'cifar10' : undefined,
  ),
  'mobile-net-unsure': randomWeights('MobileNet x 1/4, 96x96x3 noise, 1,000 classes, random weights, unsure', 'mobile-net-unsure'),
  'mobile-net-sure': randomWeights('MobileNet x 1/4, 96x96x3 noise, 1,000 classes, random weights, sure', 'mobile-net-sure'),
} as const satisfies Readonly<Record<string, Problem>>;

/** One of {@link PROBLEMS}. */
export type ProblemName = keyof typeof PROBLEMS;
