import { describe, expect, it } from 'vitest';
import { layerShares } from './models/layers.ts';
import { kindOf } from './playground/kind.ts';
import { hashOf, routeOf } from './route.ts';
import type { ModelOverview, TensorSpec } from './server/overview.ts';

describe('routes', () => {
  it('come back from the address that they made', () => {
    for (const route of [
      { view: 'live', model: '' },
      { view: 'models', model: 'lenet-5/12' },
    ] as const)
      expect(routeOf(hashOf(route))).toEqual(route);
  });

  it('are the playground for anything else', () => {
    for (const hash of ['', '#', '#nothing', '#/%E0%A4%A']) expect(routeOf(hash)).toEqual({ view: 'playground', model: '' });
  });
});

describe('layerShares', () => {
  it('adds up the tensors of a layer, in the order of the network', () => {
    const tensor = (layer: string, weight: string, selected: number, total: number, diagonalMassShare: number) => ({
      ...{ layer, weight, selected, total, diagonalMassShare, dead: 0 },
    });
    const [first, second] = layerShares([
      tensor('b', 'kernel', 3, 10, 0.25),
      tensor('a', 'kernel', 1, 4, 0.5),
      tensor('b', 'bias', 1, 2, 0.125),
    ]);
    expect(first).toMatchObject({ layer: 'b', selected: 4, total: 12, massShare: 0.375 });
    expect(second).toMatchObject({ layer: 'a', selected: 1, total: 4, massShare: 0.5 });
  });
});

describe('kindOf', () => {
  const model = (shape: number[], outputs: Record<string, number[]>): ModelOverview => {
    const spec = ([name, axes]: [string, number[]]): TensorSpec => ({ name, datatype: 'FP32', shape: axes });
    const description = {
      ...{ platform: '', inputs: [spec(['input', shape])], outputs: Object.entries(outputs).map(spec), properties: {}, card: {} },
    };
    const facts = {
      name: 'm',
      version: '1',
      state: 'ready',
      reason: '',
      labels: [],
      share: 1,
      inFlight: 0,
      memoryBytes: 0,
      statistics: null,
    };
    return { ...facts, description };
  };

  it('is by the shapes of input and outputs', () => {
    expect(kindOf(model([-1, 28, 28, 1], { probabilities: [-1, 10] }))).toEqual({
      kind: 'image',
      height: 28,
      width: 28,
      channels: 1,
      classCount: 10,
    });
    expect(kindOf(model([-1, 1], { mean: [-1, 1], variance: [-1, 1] }))).toEqual({ kind: 'curve' });
    expect(kindOf(model([-1, 13], { mean: [-1, 1] }))).toEqual({ kind: 'table', size: 13 });
    expect(kindOf(model([-1, 1], { mean: [-1, 2] }))).toEqual({ kind: 'table', size: 1 });
    expect(kindOf(model([-1, 5, 5, 7], { probabilities: [-1, 3] }))).toEqual({ kind: 'table', size: 175 });
  });
});
