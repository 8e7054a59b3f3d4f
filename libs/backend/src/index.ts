export { activeBackend, runtimeOf, startBackend, type Backend, type BackendOptions } from './start-backend.ts';
export { float64 } from './float64/float64.ts';
export type { CholeskyOutcome, Float64Matrix, Float64Ops } from './float64/float64-ops.ts';
export { PlainFloat64 } from './float64/plain-float64.ts';
export { compileFunction, type CompiledFunction, type CompileOptions, type WithFile } from './compiled/compiled-function.ts';
