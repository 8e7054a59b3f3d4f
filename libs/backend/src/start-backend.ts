import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { useOnednnKernels } from './native-kernels/use-onednn-kernels.ts';
import { registerWasmKernels } from './wasm-kernels/register-wasm-kernels.ts';

/** What computes: the runtime, the device and the threads. */
export interface Backend {
  /** `tensorflow`: the native runtime; `wasm`: WebAssembly on the CPU. */
  readonly name: 'tensorflow' | 'wasm';
  readonly device: 'gpu' | 'cpu';
  /** Threads of one operation. The bits of a result may depend on it, so it is part of a fit's record. */
  readonly threads: number;
  /** Version of libtensorflow, or of the WebAssembly backend. */
  readonly version: string;
  /** Why the native runtime is not in use; absent when it is. */
  readonly fallbackReason?: string;
}

/** How to start the runtime. */
export interface BackendOptions {
  /** Threads of one operation. Default: every core. */
  readonly threads?: number;
  /**
   * Operations of one graph that may run at once, where neither needs the other: it makes no difference to their results, nor to operations one by one. Default 1.
   */
  readonly branches?: number;
  /** `native` refuses to fall back to WebAssembly. Default: `SUBLACE_RUNTIME`, else `any`. */
  readonly runtime?: 'any' | 'native' | 'wasm';
}

const require = createRequire(import.meta.url);
let started: Backend | undefined;

/**
 * Starts the tf.js runtime: native TensorFlow where it loads, else WebAssembly. Call once per process, before the first tf.js operation; later
 * calls return the running backend.
 *
 * The native library reads its settings from the environment when it is loaded, so they are set here: thread counts, GPU memory growth, TF32
 * off (it would cost three digits of the GGN). A worker thread must share its parent's environment (`SHARE_ENV`) for them to be seen.
 *
 * @param options  Threads and runtime.
 * @returns  What is in use.
 * @throws {SublaceError} UNAVAILABLE when `native` was asked for and does not load.
 */
export async function startBackend(options: BackendOptions = {}): Promise<Backend> {
  if (started) return started;
  const threads = options.threads ?? availableParallelism();
  const runtime = options.runtime ?? (process.env['SUBLACE_RUNTIME'] === 'wasm' ? 'wasm' : 'any');

  let fallbackReason = 'WebAssembly was asked for';
  if (runtime !== 'wasm') {
    try {
      started = startNative(threads, options.branches ?? 1);
      return started;
    } catch (error) {
      fallbackReason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      if (runtime === 'native') {
        throw new SublaceError('UNAVAILABLE', `expected the native TensorFlow runtime, got: ${fallbackReason}; run 'npm run setup'`, {
          cause: error,
        });
      }
    }
  }
  started = await startWasm(threads, fallbackReason);
  return started;
}

/**
 * The backend that {@link startBackend} started.
 *
 * @returns  What is in use.
 * @throws {SublaceError} INTERNAL when none was started.
 */
export function activeBackend(): Backend {
  if (!started) throw new SublaceError('INTERNAL', 'startBackend() must run before the first operation');
  return started;
}

/**
 * A runtime in a few words, equal where equal operations give equal bits on one kind of processor.
 *
 * @param backend  The runtime.
 * @returns  Name, version and device.
 */
export function runtimeOf({ name, version, device }: Backend): string {
  return `${name} ${version} on ${device}`;
}

function startNative(threads: number, branches: number): Backend {
  process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  process.env['TF_NUM_INTEROP_THREADS'] = String(branches);
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  process.env['NVIDIA_TF32_OVERRIDE'] = '0';
  process.env['TF_DETERMINISTIC_OPS'] = '1';
  // oneDNN's kernels are asked for by name (useOnednnKernels): enabled for all, every process would write two lines to standard error.
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '0';

  // Removed from Node 23; the addon's JavaScript still calls them (docs/gotchas.md).
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  legacy['isArray'] = Array.isArray; // still there, but warns

  // The addon's package exports tf.js itself; loading it registers and selects the 'tensorflow' backend of the shared tf.js.
  require('@tensorflow/tfjs-node-gpu');
  const native = tf.backend() as unknown as { isUsingGpuDevice: boolean; binding: { TF_Version: string } };
  if (!native.isUsingGpuDevice) useOnednnKernels();
  return { name: 'tensorflow', device: native.isUsingGpuDevice ? 'gpu' : 'cpu', threads, version: native.binding.TF_Version };
}

async function startWasm(threads: number, fallbackReason: string): Promise<Backend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '..', 'dist')}/`);
  wasm.setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  registerWasmKernels();
  return { name: 'wasm', device: 'cpu', threads: 1, version: wasm.version_wasm, fallbackReason };
}
