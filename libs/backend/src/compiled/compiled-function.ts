import * as tf from '@tensorflow/tfjs';
import { activeBackend } from '../start-backend.ts';
import { GRAPH_FILE, savedModelBytes, SERVE_TAG } from './graph.ts';
import { NotTraceable, traceOf, type NativeBackend, type Trace } from './trace.ts';

/** How far a run of the graph may be from the operations one by one, relative to the largest value: it may fuse some of them. */
const DIFFERENCE_MAX = 1e-4;

/**
 * A function of one float32 tensor of fixed shape that has become a TensorFlow graph. A run is one call of the runtime instead of one for each operation, what
 * depends on constants alone is computed once, and operations whose results nobody needs are gone.
 */
export class CompiledFunction {
  readonly #backend: NativeBackend;
  readonly #trace: Trace;
  readonly #model: number;
  readonly #inputNames: string;
  readonly #outputNames: string;

  /**
   * For {@link compileFunction}.
   *
   * @param backend  The native backend.
   * @param trace  What the graph is made of; its captured tensors are the function's from now on.
   * @param withFile  Where the graph is for the runtime to read it.
   * @internal
   */
  constructor(backend: NativeBackend, trace: Trace, withFile: WithFile) {
    this.#backend = backend;
    this.#trace = trace;
    this.#inputNames = [trace.input, ...trace.captured].map(({ name }) => name).join(',');
    this.#outputNames = trace.outputs.map(({ node, output }) => `${node}:${output}`).join(',');
    this.#model = load(backend, trace, withFile);
  }

  /** Operations of the graph, before the runtime simplifies it. */
  get operationCount(): number {
    return this.#trace.nodes.length;
  }

  /** Bytes of the tensors that are part of the graph; those of a model that it uses are not. */
  get constantBytes(): number {
    return this.#trace.constants.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /**
   * Runs the function.
   *
   * @param values  Of the input, row-major. Borrowed.
   * @returns  The values of each output, row-major.
   * @throws {Error} As the runtime does, for example for an index out of bounds.
   */
  run(values: Float32Array): Float32Array[] {
    const { binding } = this.#backend;
    const { input, captured } = this.#trace;
    const given = binding.createTensor(input.shape, input.dtype, values);
    try {
      const results = binding.runSavedModel(this.#model, [given, ...captured.map(({ id }) => id)], this.#inputNames, this.#outputNames);
      return results.map(({ id }) => {
        const read = binding.tensorDataSync(id) as Float32Array;
        binding.deleteTensor(id);
        return read;
      });
    } finally {
      binding.deleteTensor(given);
    }
  }

  /** Frees the graph; the tensors of the function's surroundings stay with their owners. */
  dispose(): void {
    this.#backend.binding.deleteSavedModel(this.#model);
    for (const { id } of this.#trace.captured) this.#backend.binding.deleteTensor(id);
  }
}

/**
 * Lets something read a file that is there while it does.
 *
 * @param name  Name of the file.
 * @param bytes  Its content.
 * @param read  Reads it, given the folder that it is in.
 * @returns  What it returns.
 */
export type WithFile = (name: string, bytes: Uint8Array, read: (folder: string) => number) => number;

/** An input of a function that becomes a graph, and where the graph goes. */
export interface CompileOptions {
  /** Of the input. */
  readonly shape: readonly number[];
  /** Values of an input that the function accepts, row-major. */
  readonly example: Float32Array;
  /** The runtime reads graphs from files only. */
  readonly withFile: WithFile;
}

/**
 * Makes a graph of a function, and checks that it gives what the function gives.
 *
 * @param options  An input and a place for a file.
 * @param act  From the input to outputs, float32; called once, inside a tidy. What it does must depend on the shape of the input only, not on its values.
 * @returns  The function as a graph; dispose of it. Undefined where that cannot be: on another runtime than TensorFlow's on a CPU, for a function that looks
 *   at values, or without a place for a file.
 */
export function compileFunction(
  { shape, example, withFile }: CompileOptions,
  act: (input: tf.Tensor) => tf.Tensor[],
): CompiledFunction | undefined {
  const { name, device } = activeBackend();
  if (name !== 'tensorflow' || device !== 'cpu') return undefined;
  const backend = tf.backend() as unknown as NativeBackend;
  let compiled: CompiledFunction | undefined;
  const input = tf.tensor(example, [...shape]);
  try {
    const { trace, outputs } = traceOf(backend, input, () => tf.tidy(() => act(input)));
    const expected = outputs.map((output) => output.dataSync<'float32'>());
    tf.dispose(outputs);
    compiled = new CompiledFunction(backend, trace, withFile);
    const got = compiled.run(example);
    if (got.every((each, i) => isNear(each, expected[i]))) return compiled;
  } catch (error) {
    if (!(error instanceof NotTraceable) && !isOfRuntime(error)) throw error;
  } finally {
    input.dispose();
  }
  compiled?.dispose();
  return undefined;
}

function load(backend: NativeBackend, { nodes, constants, input, captured }: Trace, withFile: WithFile): number {
  try {
    const bytes = savedModelBytes({ nodes, constants, placeholders: [input, ...captured] });
    return withFile(GRAPH_FILE, bytes, (folder) => backend.binding.loadSavedModel(folder, SERVE_TAG));
  } catch (error) {
    for (const { id } of captured) backend.binding.deleteTensor(id);
    throw error;
  }
}

function isNear(got: Float32Array, expected: Float32Array): boolean {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return got.length === expected.length && got.every((value, i) => Math.abs(value - expected[i]) <= DIFFERENCE_MAX * largest);
}

/** An error of the file system or of the runtime, whose addon throws plain errors: then there is no graph, and operations one by one will say what is wrong. */
function isOfRuntime(error: unknown): boolean {
  return error instanceof Error && (error.constructor === Error || 'syscall' in error);
}
