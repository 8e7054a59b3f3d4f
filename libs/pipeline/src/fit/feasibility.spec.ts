import { describe, expect, it } from 'vitest';
import { checkFeasible } from './feasibility.ts';
import { compileFitSpec } from './fit-spec.ts';

const input = { model: 'model', data: 'digits', subnetwork: 'last-layer', output: 'out' };

describe('checkFeasible', () => {
  it('refuses, before any work, what memory cannot hold, and says what fits', () => {
    const spec = compileFitSpec({ ...input, priorPrecision: 1 });
    expect(() => checkFeasible(1e6, spec)).toThrow(
      /^subnetwork of 1000000 weights: needs 44703\.5 GiB to factorise, got a machine with .* would fit$/,
    );
    expect(() => checkFeasible(1000, spec)).not.toThrow();
  });

  it('refuses to tune the prior of a subnetwork that is too large for it', () => {
    expect(() => checkFeasible(8001, compileFitSpec(input))).toThrow(
      "priorPrecision 'auto': expected at most 8000 weights to tune it for, got 8001; give a number",
    );
    expect(() => checkFeasible(8001, compileFitSpec({ ...input, priorPrecision: 1 }))).not.toThrow();
  });
});
