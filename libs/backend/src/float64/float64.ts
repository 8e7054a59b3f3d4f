import { activeBackend } from '../start-backend.ts';
import type { Float64Ops } from './float64-ops.ts';
import { NativeFloat64 } from './native-float64.ts';
import { PlainFloat64 } from './plain-float64.ts';

let ops: Float64Ops | undefined;

/**
 * The float64 operations of the running backend.
 *
 * @returns  Raw TensorFlow operations on the native runtime, plain TypeScript otherwise.
 */
export function float64(): Float64Ops {
  ops ??= activeBackend().name === 'tensorflow' ? new NativeFloat64() : new PlainFloat64();
  return ops;
}
