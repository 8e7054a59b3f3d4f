import { unexpected } from '../client-error.ts';

/** What a server says of itself. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** Name, data type and shape of an input or output. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  /** -1 for sizes that the request decides. */
  readonly shape: readonly number[];
}

/** What a server says of a model. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Facts for people and for the helpers of this library; empty from servers that tell none. */
  readonly properties: Readonly<Record<string, string>>;
}

/** A version in the server's repository. */
export interface RepositoryEntry {
  readonly name: string;
  readonly version: string;
  /** `READY`, `LOADING`, `UNLOADING` or `UNAVAILABLE`; empty when the server does not tell. */
  readonly state: string;
  /** Why it is not ready. */
  readonly reason: string;
}

/** How many, and how long together. */
export interface DurationStatistic {
  readonly count: number;
  /** Nanoseconds. */
  readonly ns: number;
}

/** What a version has answered since it was loaded. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** When the last inference was asked for, milliseconds since 1970; 0 for none. */
  readonly lastInferenceMs: number;
  /** Examples answered. */
  readonly inferenceCount: number;
  /** Batches computed. */
  readonly executionCount: number;
  /** By kind: `success`, `fail`, `queue`, `computeInput`, `computeInfer`, `computeOutput`, as far as the server counts them. */
  readonly inferenceStats: Readonly<Record<string, DurationStatistic>>;
  readonly batchStats: readonly BatchStatistics[];
}

/** Of the batches of one size. */
export interface BatchStatistics {
  readonly batchSize: number;
  /** By kind: `computeInput`, `computeInfer`, `computeOutput`. */
  readonly durations: Readonly<Record<string, DurationStatistic>>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the metadata of a model.
 *
 * @param value  JSON of the answer.
 * @returns  With everything that was left out filled in.
 * @throws SublaceClientError UNEXPECTED_ANSWER when it names no inputs and outputs.
 */
export function readModelMetadata(value: unknown): ModelMetadata {
  const { name, versions, platform, inputs, outputs, properties } = object(value);
  if (!Array.isArray(inputs) || !Array.isArray(outputs)) throw unexpected('model metadata: expected inputs and outputs, got none');
  const tensor = (json: unknown): TensorMetadata => {
    const { name: tensorName, datatype, shape } = object(json);
    return { name: text(tensorName), datatype: text(datatype), shape: list(shape).map(Number) };
  };
  return {
    name: text(name),
    versions: list(versions).map(text),
    platform: text(platform),
    inputs: inputs.map(tensor),
    outputs: outputs.map(tensor),
    properties: Object.fromEntries(Object.entries(object(properties)).map(([key, property]) => [key, text(property)])),
  };
}

/**
 * Reads the metadata of a server.
 *
 * @param value  JSON of the answer.
 * @returns  With everything that was left out filled in.
 */
export function readServerMetadata(value: unknown): ServerMetadata {
  const { name, version, extensions } = object(value);
  return { name: text(name), version: text(version), extensions: list(extensions).map(text) };
}

/**
 * Reads the index of a repository.
 *
 * @param value  JSON of the answer.
 * @returns  One entry for each version.
 */
export function readRepositoryIndex(value: unknown): RepositoryEntry[] {
  return list(value).map((entry) => {
    const { name, version, state, reason } = object(entry);
    return { name: text(name), version: text(version), state: text(state), reason: text(reason) };
  });
}

/**
 * Reads statistics.
 *
 * @param value  JSON of the answer.
 * @returns  One for each version.
 */
export function readStatistics(value: unknown): ModelStatistics[] {
  return list(object(value)['model_stats']).map((entry) => {
    const stats = object(entry);
    return {
      name: text(stats['name']),
      version: text(stats['version']),
      lastInferenceMs: number(stats['last_inference']),
      inferenceCount: number(stats['inference_count']),
      executionCount: number(stats['execution_count']),
      inferenceStats: durations(object(stats['inference_stats'])),
      batchStats: list(stats['batch_stats']).map((batch) => {
        const { batch_size, ...kinds } = object(batch);
        return { batchSize: number(batch_size), durations: durations(kinds) };
      }),
    };
  });
}

function durations(kinds: Json): Record<string, DurationStatistic> {
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, value]) => {
      const { count, ns } = object(value);
      return [kind.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase()), { count: number(count), ns: number(ns) }];
    }),
  );
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Triton writes 64-bit numbers as JSON numbers, gateways as strings. */
function number(value: unknown): number {
  return Number(value ?? 0);
}
