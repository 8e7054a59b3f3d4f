import { categorical } from '@sublace/likelihoods';
import { testRandom } from '@sublace/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutRows, packExamples, RowSurvey } from './index.ts';

/** Residual traces of some examples of four classes, from undecided to all but certain. */
function tracesOf(seed: number, count: number): Float64Array {
  const random = testRandom(seed);
  const logits = Float32Array.from(Array.from({ length: count }, () => random.normals(4, 1 + 8 * Math.abs(random.normal()))).flat());
  return categorical.residualTraces(logits, 4);
}

function surveyOf(...parts: Float64Array[]): Float32Array {
  const survey = new RowSurvey();
  for (const part of parts) survey.add(part, 3);
  return survey.toVector();
}

/** Trace that is lost by leaving out every row with less than the threshold before it, example by example. */
function lostAt(traces: Float64Array, threshold: number): { lost: number; kept: number } {
  let [lost, kept] = [0, 0];
  for (let n = 0; n < traces.length; n += 3) {
    const row = [...traces.subarray(n, n + 3)];
    const first = row.findIndex((left) => left < threshold);
    lost += first < 0 ? 0 : row[first];
    kept += first < 0 ? 3 : first;
  }
  return { lost, kept };
}

describe('cutRows', () => {
  it('leaves out no more than the tolerance, and says how much and how many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: -8, max: -0.5, noNaN: true }), (seed, exponent) => {
        const traces = tracesOf(seed, 50);
        const total = lostAt(traces, Infinity).lost;
        const cut = cutRows(surveyOf(traces), 10 ** exponent);
        const { lost, kept } = lostAt(traces, cut.threshold);
        expect(cut.rowCount).toBe(150);
        expect(cut.keptCount).toBe(kept);
        expect(Math.abs(cut.droppedShare - lost / total)).toBeLessThan(1e-6); // counted in float32
        expect(lost).toBeLessThanOrEqual(10 ** exponent * total * (1 + 1e-6));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('is the same however the examples are divided, up to float32', () => {
    const traces = tracesOf(5, 40);
    const [whole, parts] = [surveyOf(traces), surveyOf(traces.subarray(0, 51), traces.subarray(51))];
    expect(parts).toEqual(whole);
    expect(cutRows(parts, 1e-3)).toEqual(cutRows(whole, 1e-3));
  });

  it('keeps everything at tolerance 0, and where all rows weigh the same', () => {
    const traces = tracesOf(6, 40);
    expect(cutRows(surveyOf(traces), 0)).toMatchObject({ threshold: 0, keptCount: 120, droppedShare: 0 });
    const even = Float64Array.of(3, 2, 1, 3, 2, 1);
    expect(cutRows(surveyOf(even), 1e-4)).toMatchObject({ threshold: 0, keptCount: 6 });
  });

  it('refuses traces that are not finite', () => {
    expect(() => cutRows(surveyOf(Float64Array.of(Number.NaN, 0, 0)), 1e-4)).toThrow('output Hessians: expected a finite trace, got NaN');
  });
});

describe('packExamples', () => {
  it('gives every example at least the rows above the threshold, and none below sixteen too many', () => {
    const traces = tracesOf(7, 60);
    const { threshold } = cutRows(surveyOf(traces), 0.02);
    const packed = packExamples(traces, 3, threshold);
    const countOf = new Map(packed.flatMap(({ seedCount, examples }) => [...examples].map((n) => [n, seedCount] as const)));
    for (let n = 0; n < 60; n++) {
      const wanted = [...traces.subarray(3 * n, 3 * n + 3)].filter((left) => left >= threshold).length;
      expect(countOf.get(n) ?? 0).toBe(wanted);
    }
    expect(packed.map(({ seedCount }) => seedCount)).toEqual(packed.map(({ seedCount }) => seedCount).sort());
  });

  it('rounds many rows up by an eighth at most', () => {
    for (const kept of [1, 15, 16, 17, 33, 100, 500, 999]) {
      const traces = Float64Array.from({ length: 999 }, (_, j) => (j < kept ? 1 : 0));
      const [{ seedCount }] = packExamples(traces, 999, 0.5);
      expect(seedCount).toBeGreaterThanOrEqual(kept);
      expect(seedCount).toBeLessThanOrEqual(Math.ceil(kept * 1.125));
    }
  });
});
