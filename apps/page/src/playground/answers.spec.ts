import { describe, expect, it } from 'vitest';
import type { FloatTensor } from '../server/server-api.ts';
import { classificationAnswers, entropyOf, shownClasses, topClass } from './classification-answer.ts';
import { curveAnswer, curveChart, spread, verticalFit } from './curve-answer.ts';
import { readNumbers } from './read-numbers.ts';

const tensors = (values: Record<string, { shape: number[]; data: number[] }>): Map<string, FloatTensor> =>
  new Map(Object.entries(values).map(([name, { shape, data }]) => [name, { name, shape, data: Float32Array.from(data) }]));

describe('classificationAnswers', () => {
  it('cuts the rows of a batch', () => {
    const [first, second] = classificationAnswers(
      tensors({
        probabilities: { shape: [2, 2], data: [0.5, 0.5, 0.25, 0.75] },
        map_probabilities: { shape: [2, 2], data: [0.125, 0.875, 0, 1] },
        entropy: { shape: [2], data: [0.5, 0.25] },
        logit_variance: { shape: [2, 2], data: [4, 9, 16, 25] },
      }),
    );
    expect(first).toEqual({ sublace: [0.5, 0.5], map: [0.125, 0.875], entropy: 0.5, mutualInformation: null, logitStd: [2, 3] });
    expect(second).toMatchObject({ sublace: [0.25, 0.75], map: [0, 1], entropy: 0.25, logitStd: [4, 5] });
  });

  it('makes two classes of the one probability of a binary model, and its entropy where that is not told', () => {
    const [answer] = classificationAnswers(tensors({ probabilities: { shape: [1, 1], data: [0.25] } }));
    expect(answer).toMatchObject({ sublace: [0.75, 0.25], map: null });
    expect(answer.entropy).toBeCloseTo(0.5623, 4);
  });
});

describe('classes', () => {
  it('are counted for entropy, the top, and what is shown', () => {
    expect(entropyOf([0.5, 0.5, 0])).toBeCloseTo(Math.log(2), 12);
    expect(topClass([0.2, 0.5, 0.3])).toEqual({ index: 1, probability: 0.5 });
    const sublace = Array.from({ length: 30 }, (_, i) => (i === 20 ? 0.9 : 0.001 * i));
    const shown = shownClasses({
      sublace,
      map: sublace.map((_, i) => (i === 2 ? 0.8 : 0)),
      entropy: 0,
      mutualInformation: null,
      logitStd: null,
    });
    expect(shown).toHaveLength(10);
    expect(shown).toEqual(expect.arrayContaining([2, 20, 29]));
    expect(shown).toEqual(shown.toSorted((a, b) => a - b));
  });
});

describe('curves', () => {
  const answer = curveAnswer(
    tensors({
      mean: { shape: [2, 1], data: [1, 3] },
      variance: { shape: [2, 1], data: [4, 9] },
      noise_variance: { shape: [2, 1], data: [0, 16] },
    }),
  );

  it('have standard deviations with and without noise, and bands of two of them', () => {
    expect(answer).toEqual({ mean: [1, 3], epistemic: [2, 3], total: [2, 5] });
    const { bands, yRange } = curveChart(answer, 'band');
    expect(bands.map(({ lower, upper }) => [lower, upper])).toEqual([
      [
        [-3, -7],
        [5, 13],
      ],
      [
        [-3, -3],
        [5, 9],
      ],
    ]);
    expect(yRange).toEqual([-8, 14]);
  });

  it('are scaled to the mean where the band would hide it', () => {
    expect(verticalFit(answer)).toBe('mean');
    expect(curveChart(answer, 'mean').yRange).toEqual([0, 4]);
    expect(verticalFit({ ...answer, total: [0.1, 0.2] })).toBe('band');
  });

  it('are asked at evenly spaced places', () => expect(spread(-1, 1, 5)).toEqual([-1, -0.5, 0, 0.5, 1]));
});

describe('readNumbers', () => {
  it('takes numbers however they are separated, also as JSON', () => {
    expect(readNumbers('1, 2\n3;4 [5, -6e1]', 3)).toEqual({ values: Float32Array.of(1, 2, 3, 4, 5, -60), count: 2 });
  });

  it.each([
    ['', /Expected 2 numbers for each example, got none/],
    ['1 2 3', /got 3 in all/],
    ['1 x', /got 'x'/],
    ['1 Infinity', /got 'Infinity'/],
    ['0 '.repeat(4000), /at most 1000 examples, got 2000/],
  ])('refuses %j in words', (text, message) => expect(() => readNumbers(text, 2)).toThrow(message));
});
