import * as tf from '@tensorflow/tfjs';
import type { Attribute, Constant, GraphNode, Placeholder, Port } from './graph.ts';

/** What the addon says of a tensor. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The part of the addon that runs operations. */
export interface Binding {
  readonly TF_FLOAT: number;
  executeOp(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputCount: number): TensorMetadata[];
  createTensor(shape: readonly number[], dtype: number, values: ArrayBufferView): number;
  tensorDataSync(id: number): ArrayBufferView;
  deleteTensor(id: number): void;
  loadSavedModel(folder: string, tags: string): number;
  runSavedModel(model: number, inputs: readonly number[], inputNames: string, outputNames: string): TensorMetadata[];
  deleteSavedModel(model: number): void;
}

/** The native backend of tf.js. */
export interface NativeBackend {
  binding: Binding;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
}

/** What was done by operations, from an input to some outputs. */
export interface Trace {
  readonly nodes: readonly GraphNode[];
  readonly constants: readonly Constant[];
  readonly input: Placeholder;
  /** Tensors that were there before, other than the input: weights. They are given again at every run, by handles of the trace's own. */
  readonly captured: readonly (Placeholder & { readonly id: number })[];
  readonly outputs: readonly Port[];
}

/** Larger tensors are given at every run, which costs nothing, instead of being copied into the graph. */
const CONSTANT_BYTES_MAX = 2 ** 16;

/** A function that cannot be traced: it looks at values that depend on its inputs. */
export class NotTraceable extends Error {}

/**
 * Runs a function of a tensor once and takes down the operations that it runs.
 *
 * @param backend  The native backend.
 * @param input  Its input, float32.
 * @param act  The function. It must not read tensors that depend on the input.
 * @returns  The operations that its outputs depend on, and its outputs, owned by the caller.
 * @throws {NotTraceable} When it does read one.
 */
export function traceOf(backend: NativeBackend, input: tf.Tensor, act: () => tf.Tensor[]): { trace: Trace; outputs: tf.Tensor[] } {
  watchGathers();
  const recorder = new Recorder(backend.binding);
  const [inputId] = backend.getInputTensorIds([input]);
  const placeholder = recorder.input(inputId, input.shape);
  const { binding } = backend;
  backend.binding = recorder.binding;
  try {
    const outputs = act();
    return { trace: recorder.finish(placeholder, backend.getInputTensorIds(outputs)), outputs };
  } catch (error) {
    recorder.letGo();
    throw error;
  } finally {
    backend.binding = binding;
  }
}

/** Whether the kernel of a gather runs: it reads its indices to check them, and makes nothing else of them. */
let isGathering = false;

/** Lets a trace know when a gather runs. */
function watchGathers(): void {
  const kernel = tf.getKernel('GatherV2', 'tensorflow');
  if (!kernel || watched) return;
  watched = true;
  tf.unregisterKernel('GatherV2', 'tensorflow');
  tf.registerKernel({
    ...kernel,
    kernelFunc: (call) => {
      isGathering = true;
      try {
        return kernel.kernelFunc(call);
      } finally {
        isGathering = false;
      }
    },
  });
}

let watched = false;

/** Stands in for the addon's binding while a function runs. */
class Recorder {
  readonly binding: Binding;
  readonly #binding: Binding;
  readonly #ports = new Map<number, Port>();
  readonly #nodes = new Map<string, GraphNode>();
  readonly #constants = new Map<string, Constant>();
  readonly #captured = new Map<string, Placeholder & { readonly id: number }>();
  /** Names of what depends on the inputs. */
  readonly #dependent = new Set<string>();

  constructor(binding: Binding) {
    this.#binding = binding;
    const own: Partial<Binding> = {
      executeOp: this.#execute.bind(this),
      createTensor: this.#create.bind(this),
      tensorDataSync: this.#read.bind(this),
    };
    // Those of the addon cannot be written to, which a plain assignment would respect.
    this.binding = Object.create(binding, Object.fromEntries(Object.entries(own).map(([name, value]) => [name, { value }]))) as Binding;
  }

  input(id: number, shape: readonly number[]): Placeholder {
    const name = 'input';
    this.#dependent.add(name);
    this.#ports.set(id, { node: name, output: 0 });
    return { name, shape, dtype: this.#binding.TF_FLOAT };
  }

  finish(input: Placeholder, ids: readonly number[]): Trace {
    const outputs = ids.map((id) => this.#portOf(id));
    const needed = new Set<string>();
    const pending = outputs.map(({ node }) => node);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (needed.has(name)) continue;
      needed.add(name);
      pending.push(...(this.#nodes.get(name)?.inputs ?? []).map(({ node }) => node));
    }
    return {
      nodes: [...this.#nodes.values()].filter(({ name }) => needed.has(name)),
      constants: [...this.#constants.values()].filter(({ name }) => needed.has(name)),
      captured: this.#capturedOf(needed),
      input,
      outputs,
    };
  }

  /** Lets go of everything that was captured. */
  letGo(): void {
    this.#capturedOf(new Set());
  }

  /** Those that are needed; the others are let go. */
  #capturedOf(needed: ReadonlySet<string>): Trace['captured'] {
    const [kept, others] = [true, false].map((is) => [...this.#captured.values()].filter(({ name }) => needed.has(name) === is));
    for (const { id } of others) this.#binding.deleteTensor(id);
    return kept;
  }

  #execute(operation: string, attributes: readonly Attribute[], inputs: readonly number[], outputCount: number): TensorMetadata[] {
    const ports = inputs.map((id) => this.#portOf(id));
    const results = this.#binding.executeOp(operation, attributes, inputs, outputCount);
    const name = `n${this.#nodes.size}`;
    this.#nodes.set(name, { name, operation, inputs: ports, attributes: attributes.map((each) => ({ ...each })) });
    if (ports.some(({ node }) => this.#dependent.has(node))) this.#dependent.add(name);
    for (const [output, { id }] of results.entries()) this.#ports.set(id, { node: name, output });
    return results;
  }

  #create(shape: readonly number[], dtype: number, values: ArrayBufferView): number {
    const id = this.#binding.createTensor(shape, dtype, values);
    // A tensor of earlier whose values the runtime had not taken in yet, or one as large as that: it stays apart from the graph.
    if (values.byteLength > CONSTANT_BYTES_MAX) return id;
    const name = `c${this.#constants.size}`;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    this.#constants.set(name, { name, dtype, shape: [...shape], bytes });
    this.#ports.set(id, { node: name, output: 0 });
    return id;
  }

  #read(id: number): ArrayBufferView {
    if (!isGathering && this.#dependent.has(this.#portOf(id).node))
      throw new NotTraceable('expected no look at values that depend on the inputs');
    return this.#binding.tensorDataSync(id);
  }

  /** A tensor that nobody made here was there before. */
  #portOf(id: number): Port {
    const known = this.#ports.get(id);
    if (known) return known;
    const name = `w${this.#captured.size}`;
    // An identity tells type and shape, and keeps the values when their owner lets go of them.
    const [kept] = this.#binding.executeOp('Identity', [], [id], 1);
    this.#captured.set(name, { name, ...kept });
    const port = { node: name, output: 0 };
    this.#ports.set(id, port);
    return port;
  }
}
