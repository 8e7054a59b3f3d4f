import { ParameterLayout } from '@sublace/network';
import { describe, expect, it } from 'vitest';
import { machineMemory, memoryPlan, type MemoryPlan, type MemoryProblem } from './memory-plan.ts';

/** Sizes of ResNet-18 for CIFAR: 11 million weights, signals of 32 x 32 x 64. */
function resnet18(changes: Partial<MemoryProblem> = {}): MemoryProblem {
  const layout = new ParameterLayout(
    [2_359_296, 2_359_296, 2_359_296, 2_359_296, 1_728_000].map((size, i) => ({
      layer: `l${i}`,
      className: 'Conv2D',
      weight: 'kernel',
      kind: 'kernel',
      shape: [3, 3, 512, size / (9 * 512)],
    })),
  );
  const network = { layout, activationElements: { largest: 65_536, total: 1_000_000 } };
  return {
    network,
    size: 42_438,
    exampleCount: 512,
    inputElements: 3072,
    outputCount: 10,
    shardCount: 2,
    workerCount: 1,
    isTuned: false,
    ...changes,
  };
}

function needOf(plan: MemoryPlan, role: string, phase: string): number {
  return plan.needs.find((need) => need.role === role && need.phase === phase)?.bytes ?? Number.NaN;
}

describe('memoryPlan', () => {
  it('holds every large matrix once: 42,438 weights of ResNet-18 fit 20 GB', () => {
    const plan = memoryPlan(resnet18());
    const tiles = (42_438 ** 2 + 42_438 * 1024) / 2; // to a tile in a thousand
    for (const [role, phase, matrixBytes] of [
      ['coordinator', 'accumulate', 8 * tiles],
      ['worker', 'accumulate', 2 * 4 * tiles],
      ['coordinator', 'finalise', 8 * tiles],
      ['worker', 'finalise', 8 * tiles],
    ] as const) {
      const bytes = needOf(plan, role, phase);
      expect(bytes).toBeGreaterThan(0.99 * matrixBytes);
      expect(bytes).toBeLessThan(matrixBytes + 2.5e9);
    }
    expect(plan.peak.bytes).toBeLessThan(20e9);
  });

  it('grows with S, P, workers and data, and with the eigendecomposition of a tuned prior', () => {
    const bytes = (changes: Partial<MemoryProblem>): number => memoryPlan(resnet18({ size: 7000, ...changes })).peak.bytes;
    const least = bytes({});
    for (const more of [{ size: 9000 }, { workerCount: 2 }, { exampleCount: 500_000 }, { isTuned: true }]) {
      expect(bytes(more)).toBeGreaterThan(least);
    }
    expect(bytes({ workerCount: 2, shardCount: 1 }) - least).toBeLessThan(1e9); // the second has nothing to do
  });

  it('holds no S x S matrix in the finalise phase of a factorisation that is spread', () => {
    const plan = memoryPlan(resnet18({ isSpread: true, isTuned: false }));
    expect(needOf(plan, 'coordinator', 'finalise')).toBeLessThan(1e9);
    expect(needOf(plan, 'worker', 'finalise')).toBeLessThan(2.5e9);
    expect(plan.peak.phase).toBe('accumulate');
  });

  it('is the whole machine, or what a container may use of it', () => {
    expect(machineMemory()).toBeGreaterThan(2 ** 30);
  });
});
