/**
 * Upper quantile of the standard normal distribution, by Newton's method. From 0 every step stays below the quantile, since the distribution function is concave
 * above 0.
 *
 * @param probability  From 1/2 to below 1.
 * @returns  z with P(Z < z) = probability; good to 1e-9 up to z = 5.
 */
export function standardNormalQuantile(probability: number): number {
  let z = 0;
  for (let step = 0; step < 100; step += 1) {
    const change = (probability - distribution(z)) / density(z);
    z += change;
    if (Math.abs(change) < 1e-12 * Math.max(1, z)) break;
  }
  return z;
}

function density(z: number): number {
  return Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** P(Z < z) for z of 0 and more: 1/2 + density(z) (z + z^3 / 3 + z^5 / (3 5) + ...). */
function distribution(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + density(z) * sum;
}
