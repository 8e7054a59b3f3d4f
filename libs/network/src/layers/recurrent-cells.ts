import * as tf from '@tensorflow/tfjs';
import type { ElementwiseActivation } from './activations.ts';
import type { RecurrentCell } from './recurrent.ts';

/**
 * h_t = f(x + h_{t-1} U).
 *
 * @param kernel  U.
 * @param activation  f.
 * @returns  The cell of a simple recurrent layer.
 */
export function simpleCell(kernel: tf.Tensor2D, activation: ElementwiseActivation): RecurrentCell {
  return {
    stateCount: 1,
    step: (x, [before]) => {
      const z = tf.add(x, tf.matMul(before, kernel));
      const h = activation.forward(z);
      return { state: [h], read: before, factors: [activation.derivative(z, h)] };
    },
    back: ([dh], [slope], rows) => {
      const dz = rows.multiply(dh, slope);
      return { atInput: dz, atProduct: dz, before: [tf.matMul(dz, kernel, false, true)] };
    },
  };
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997): with z = x + h_{t-1} U and gates in the order input, forget, candidate, output
 *
 *   c_t = s(z_f) c_{t-1} + s(z_i) f(z_c),  h_t = s(z_o) f(c_t)
 *
 * @param kernel  U.
 * @param activation  f.
 * @param recurrentActivation  s.
 * @returns  The cell.
 */
export function longShortTermCell(
  kernel: tf.Tensor2D,
  activation: ElementwiseActivation,
  recurrentActivation: ElementwiseActivation,
): RecurrentCell {
  return {
    stateCount: 2,
    step: (x, [read, before]) => {
      const [zi, zf, zc, zo] = tf.split(tf.add(x, tf.matMul(read, kernel)), 4, 1);
      const [input, forget, output] = [zi, zf, zo].map((gate) => recurrentActivation.forward(gate));
      const candidate = activation.forward(zc);
      const c = tf.add(tf.mul(forget, before), tf.mul(input, candidate));
      const squashed = activation.forward(c);
      const factors = [
        tf.mul(output, activation.derivative(c, squashed)), // h in c
        tf.mul(candidate, recurrentActivation.derivative(zi, input)), // c in z_i
        tf.mul(before, recurrentActivation.derivative(zf, forget)), // c in z_f
        tf.mul(input, activation.derivative(zc, candidate)), // c in z_c
        tf.mul(squashed, recurrentActivation.derivative(zo, output)), // h in z_o
        forget, // c in the c before
      ];
      return { state: [tf.mul(output, squashed), c], read, factors };
    },
    back: ([dh, fromLater], [hInC, cInInput, cInForget, cInCandidate, hInOutput, cInBefore], rows) => {
      const dc = tf.add(fromLater, rows.multiply(dh, hInC));
      const atGates = [cInInput, cInForget, cInCandidate].map((factor) => rows.multiply(dc, factor));
      const dz = tf.concat([...atGates, rows.multiply(dh, hInOutput)], 1);
      return { atInput: dz, atProduct: dz, before: [tf.matMul(dz, kernel, false, true), rows.multiply(dc, cInBefore)] };
    },
  };
}

/**
 * Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078), with gates in the order update, reset, candidate. The reset gate is applied before the
 * product with the recurrent kernel, as tf.js does it, or after it, as Keras does it unless told otherwise; a = h_{t-1} U + b':
 *
 *   z = s(x_z + a_z),  r = s(x_r + a_r),  h' = f(x_h + (r h_{t-1}) U_h)  or  f(x_h + r a_h),  h_t = z h_{t-1} + (1 - z) h'
 *
 * @param kernel  U.
 * @param activation  f.
 * @param recurrentActivation  s.
 * @param reset  When the reset gate is applied.
 * @param reset.isAfter  After the product.
 * @param reset.bias  b', [3 U]; only after the product.
 * @returns  The cell.
 */
export function gatedCell(
  kernel: tf.Tensor2D,
  activation: ElementwiseActivation,
  recurrentActivation: ElementwiseActivation,
  { isAfter, bias }: { readonly isAfter: boolean; readonly bias?: tf.Tensor },
): RecurrentCell {
  const units = kernel.shape[0];
  const toGates = (): tf.Tensor2D => tf.slice(kernel, [0, 0], [units, 2 * units]);
  const toCandidate = (): tf.Tensor2D => tf.slice(kernel, [0, 2 * units], [units, units]);
  return {
    stateCount: 1,
    step: (x, [before]) => {
      const [xz, xr, xh] = tf.split(x, 3, 1);
      const full = isAfter ? tf.matMul(before, kernel) : tf.matMul(before, toGates());
      const product = bias ? tf.add(full, bias) : full;
      const [az, ar, ah] = tf.split(product, isAfter ? 3 : 2, 1) as (tf.Tensor | undefined)[];
      const [atUpdate, atReset] = [tf.add(xz, az as tf.Tensor), tf.add(xr, ar as tf.Tensor)];
      const [update, reset] = [recurrentActivation.forward(atUpdate), recurrentActivation.forward(atReset)];
      const kept = tf.mul(reset, ah ?? before);
      const atCandidate = tf.add(xh, ah ? kept : tf.matMul(kept, toCandidate()));
      const candidate = activation.forward(atCandidate);
      const h = tf.add(tf.mul(update, before), tf.mul(tf.sub(1, update), candidate));
      const factors = [
        tf.mul(tf.sub(before, candidate), recurrentActivation.derivative(atUpdate, update)), // h in x_z
        tf.mul(tf.sub(1, update), activation.derivative(atCandidate, candidate)), // h in x_h
        tf.mul(ah ?? before, recurrentActivation.derivative(atReset, reset)), // what is kept in x_r
        reset,
        update, // h in the h before
      ];
      return { state: [h], read: isAfter ? before : tf.concat([before, kept], 1), factors };
    },
    back: ([dh], [hInUpdate, hInCandidate, keptInReset, reset, hInBefore], rows) => {
      const [dz, dCandidate] = [rows.multiply(dh, hInUpdate), rows.multiply(dh, hInCandidate)];
      const dKept = isAfter ? dCandidate : tf.matMul(dCandidate, toCandidate(), false, true);
      const dr = rows.multiply(dKept, keptInReset);
      const direct = rows.multiply(dh, hInBefore);
      const throughReset = rows.multiply(dKept, reset);
      const atInput = tf.concat([dz, dr, dCandidate], 1);
      if (isAfter) {
        const atProduct = tf.concat([dz, dr, throughReset], 1);
        return { atInput, atProduct, before: [tf.add(direct, tf.matMul(atProduct, kernel, false, true))] };
      }
      const throughGates = tf.matMul(tf.concat([dz, dr], 1), toGates(), false, true);
      return { atInput, atProduct: atInput, before: [tf.addN([direct, throughReset, throughGates])] };
    },
    readOf: (j, g) => (isAfter || g < 2 * units ? j : units + j),
  };
}
