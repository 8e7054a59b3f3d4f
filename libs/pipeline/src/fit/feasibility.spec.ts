import { ParameterLayout } from '@sublace/network';
import { describe, expect, it } from 'vitest';
import { checkFeasible, memoryOfFit } from './feasibility.ts';
import type { FitContext } from './fit-context.ts';
import { machineMemory } from './memory-plan.ts';

const layout = new ParameterLayout([{ layer: 'dense', className: 'Dense', weight: 'kernel', kind: 'kernel', shape: [1000, 2000] }]);
const network = { layout, activationElements: { largest: 1000, total: 2000 }, inputShape: [28, 28, 1], outputCount: 10 };
const context = { model: { network }, training: { count: 100 }, validation: undefined } as unknown as FitContext;

describe('checkFeasible', () => {
  it('refuses, before any work, what memory cannot hold, and says what fits', () => {
    const message =
      /^subnetwork of 1000000 weights: needs \d+\.\d GB of memory in phase \w+, got a machine with \d+\.\d GB; (\d+) weights would fit$/;
    let said = '';
    try {
      checkFeasible(1e6, { priorPrecision: 1 }, context, 1);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toMatch(message);
    const fits = Number(message.exec(said)?.[1]);
    const bytes = (size: number): number => memoryOfFit(size, { priorPrecision: 1 }, context, { shardCount: 1, workerCount: 1 }).peak.bytes;
    expect(bytes(fits)).toBeLessThanOrEqual(machineMemory());
    expect(bytes(fits + 100)).toBeGreaterThan(machineMemory());
    expect(() => checkFeasible(1000, { priorPrecision: 1 }, context, 1)).not.toThrow();
  });

  it('refuses to tune the prior of a subnetwork that is too large for it, later by the evidence alone than by validation', () => {
    expect(() => checkFeasible(8001, { priorPrecision: 'validation' }, context, 1)).toThrow(
      "priorPrecision 'validation': expected at most 8000 weights to tune it for, got 8001; give a number",
    );
    expect(() => checkFeasible(8001, { priorPrecision: 'evidence', tuneNoise: true }, context, 1)).toThrow('at most 8000 weights');
    expect(() => checkFeasible(8001, { priorPrecision: 'evidence', priorStructure: 'layer' }, context, 1)).toThrow('at most 8000 weights');
    expect(() => checkFeasible(8001, { priorPrecision: 'auto' }, context, 1)).not.toThrow(); // there are no validation data
    expect(() => checkFeasible(20_001, { priorPrecision: 'evidence' }, context, 1)).toThrow('at most 20000 weights');
    expect(() => checkFeasible(8001, { priorPrecision: 1 }, context, 1)).not.toThrow();
  });
});
