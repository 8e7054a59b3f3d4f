import { applyLink, LINKS, type Link } from '@sublace/predictive';
import { DOUBLE, testRandom } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { probabilitiesOf } from './probabilities.ts';

describe('probabilitiesOf', () => {
  const [count, classes] = [3, 4];
  const random = testRandom(1);
  const mean = Float64Array.from(random.normals(count * classes, 2));
  const roots = Array.from({ length: count }, () => Array.from({ length: classes }, () => random.normals(classes)));
  const covariance = Float64Array.from(
    roots.flatMap((root) => root.flatMap((a) => root.map((b) => a.reduce((sum, value, k) => sum + value * b[k], 0)))),
  );
  const variance = mean.map((_, i) => covariance[i * classes + (i % classes)]);

  it.each(LINKS)('%s, example by example', (link: Link) => {
    const expected = Array.from({ length: count }, (_, n) => [
      ...applyLink(
        link,
        {
          mean: mean.subarray(n * classes, (n + 1) * classes),
          covariance: covariance.subarray(n * classes ** 2, (n + 1) * classes ** 2),
        },
        { samples: 50, seed: 7 + n },
      ),
    ]).flat();
    expect(probabilitiesOf({ mean, variance, covariance }, classes, link, { samples: 50, seed: 7 })).toBeAllclose(expected, DOUBLE);
  });

  it('needs the variances alone for probit, the covariance for the others', () => {
    const whole = probabilitiesOf({ mean, variance, covariance }, classes, 'probit');
    expect(probabilitiesOf({ mean, variance }, classes, 'probit')).toEqual(whole);
    expect(() => probabilitiesOf({ mean, variance }, classes, 'bridge')).toThrow('expected the covariance');
  });
});
