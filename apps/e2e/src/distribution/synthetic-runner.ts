/**
 * A task runner without tensors: the five phases of a fit for generated rows x_i, whose "GGN" is sum_i x_i x_i'. Small, deterministic, and able
 * to misbehave on request, so that the distribution can be tested by itself.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeManifest } from '@sublace/artifact-store';
import { chunksOfVector, tilesOfLowerTriangle, type Block } from '@sublace/partials';
import type { JsonObject, Phase } from '@sublace/scheduling';

/** What a test asks for. */
export interface SyntheticSpec {
  output: string;
  exampleCount: number;
  parameterCount: number;
  subnetworkSize: number;
  shardCount: number;
  /** Time that every shard takes, blocking its thread as tensor operations do. */
  pauseMs: number;
  /** What goes wrong, and where; in every attempt, or in the first one only when `once` names a file to remember it by. */
  fault?: { phase: Phase; shard: number; kind: 'throw' | 'bad data' | 'overflow' | 'die'; moment?: Moment; once?: string };
  /** Size of one more file of the artifact, so that publishing it takes a while; none when left out. */
  paddingBytes?: number;
  /** Points to wait at until the test opens them, as files in a folder: see {@link pointName}. */
  points?: { folder: string; names: string[] };
}

/** Before a shard is computed, half-way, and when its result is complete but not yet handed over. */
export type Moment = 'before' | 'during' | 'after';

/**
 * Name of a moment in a shard. The runner writes its process id to FOLDER/NAME.reached and then waits until FOLDER/NAME.open is there.
 *
 * @param phase  Phase of the shard.
 * @param shard  Its index.
 * @param moment  Where in its computation.
 * @returns  A file name without its ending.
 */
export function pointName(phase: Phase, shard: number, moment: Moment): string {
  return `${phase}-${shard}-${moment}`;
}

interface SyntheticTask {
  spec: JsonObject;
  phase: Phase;
  shard: number;
  plan?: JsonObject;
  inputs: Block[];
  staging?: string;
}

/** What a spec that says nothing of it gets, as one from the command line. */
export const SPEC_DEFAULTS = { exampleCount: 403, parameterCount: 230, subnetworkSize: 50, shardCount: 8, pauseMs: 60 };

const TILE = 16;
const CHUNK = 50;

/**
 * Computes one task.
 *
 * @param task  Phase, shard, spec and inputs.
 * @param onProgress  Told once, half-way.
 * @returns  Summary and blocks.
 */
export async function runFitTask(
  task: SyntheticTask,
  onProgress?: (done: number, total: number) => void,
): Promise<{ summary: JsonObject; blocks: Block[] }> {
  const spec = { ...SPEC_DEFAULTS, ...(task.spec as unknown as SyntheticSpec) };
  at(spec, task, 'before');
  onProgress?.(1, 2);
  pause(spec.pauseMs);
  at(spec, task, 'during');
  const result = await compute(spec, task);
  at(spec, task, 'after');
  return result;
}

/** Blocks the thread, as tensor operations do. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function compute(spec: SyntheticSpec, task: SyntheticTask): Promise<{ summary: JsonObject; blocks: Block[] }> {
  switch (task.phase) {
    case 'plan':
      return { summary: planOf(spec), blocks: [] };
    case 'score':
      return { summary: {}, blocks: scoresOf(spec, rangeOf(task)) };
    case 'select':
      return select(spec, task.inputs);
    case 'accumulate':
      return { summary: {}, blocks: tilesOf(spec, rangeOf(task), task.inputs[0].data as Int32Array) };
    case 'finalise':
      return finalise(spec, task.inputs, task.staging!);
  }
}

/** A moment of a task: waits there or misbehaves there, if the test asks for it. */
function at({ fault, points }: SyntheticSpec, { phase, shard }: SyntheticTask, moment: Moment): void {
  const name = pointName(phase, shard, moment);
  if (points?.names.includes(name)) {
    writeFileSync(join(points.folder, `${name}.reached`), String(process.pid));
    while (!existsSync(join(points.folder, `${name}.open`))) pause(10);
  }
  if (fault?.phase === phase && fault.shard === shard && (fault.moment ?? 'during') === moment && isFirst(fault.once)) misbehave(fault);
}

/** True for the first caller, and for everybody when there is no file to remember it by. */
function isFirst(file: string | undefined): boolean {
  if (file === undefined) return true;
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

function misbehave({ kind }: NonNullable<SyntheticSpec['fault']>): void {
  if (kind === 'throw') throw new Error('a defect of the runner');
  if (kind === 'bad data') {
    // As from a bundle, whose class SublaceError is another one.
    throw Object.assign(new Error('row 17: expected finite values, got NaN'), { code: 'DATA_INVALID' });
  }
  if (kind === 'die') process.kill(process.pid, 'SIGKILL');
}

function planOf({ shardCount, exampleCount, parameterCount }: SyntheticSpec): JsonObject {
  const shards = Array.from({ length: shardCount }, (_, i) => {
    const start = Math.floor((i * exampleCount) / shardCount);
    return { start, count: Math.floor(((i + 1) * exampleCount) / shardCount) - start };
  });
  return { shards, exampleCount, parameterCount };
}

function rangeOf({ plan, shard }: SyntheticTask): { start: number; count: number } {
  return (plan?.shards as { start: number; count: number }[])[shard];
}

/** Element j of row i: a hash of both, over twenty binary orders of magnitude. */
function element(i: number, j: number): number {
  const hash = Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(j + 1, 0x85ebca6b), 0xc2b2ae35) >>> 0;
  return Math.fround((hash / 2 ** 32 - 0.5) * 2 ** ((j % 20) - 10));
}

function scoresOf({ parameterCount }: SyntheticSpec, { start, count }: { start: number; count: number }): Block[] {
  return chunksOfVector('score/diagonal', parameterCount, CHUNK).map((chunk) => {
    const data = new Float32Array(chunk.count);
    for (let i = start; i < start + count; i++) for (let k = 0; k < chunk.count; k++) data[k] += element(i, chunk.start + k) ** 2;
    return { name: chunk.name, shape: [chunk.count], data };
  });
}

function select({ subnetworkSize, fault }: SyntheticSpec, inputs: Block[]): { summary: JsonObject; blocks: Block[] } {
  const scores = inputs.flatMap((block) => [...block.data]);
  const indices = scores
    .map((_, j) => j)
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, subnetworkSize)
    .sort((a, b) => a - b);
  const maxDiagonal = fault?.kind === 'overflow' ? 1e-6 : Math.max(...indices.map((j) => scores[j]));
  const data = Int32Array.from(indices);
  return { summary: { size: subnetworkSize, maxDiagonal }, blocks: [{ name: 'indices/0', shape: [data.length], data }] };
}

function tilesOf({ subnetworkSize }: SyntheticSpec, { start, count }: { start: number; count: number }, indices: Int32Array): Block[] {
  return tilesOfLowerTriangle(subnetworkSize, TILE).map(({ name, rows, columns, rowStart, columnStart }) => {
    const data = new Float32Array(rows * columns);
    for (let i = start; i < start + count; i++) {
      for (let r = 0; r < rows; r++) {
        const x = element(i, indices[rowStart + r]);
        for (let c = 0; c < columns; c++) data[r * columns + c] += x * element(i, indices[columnStart + c]);
      }
    }
    return { name, shape: [rows, columns], data };
  });
}

async function finalise(
  { paddingBytes }: SyntheticSpec,
  inputs: Block[],
  staging: string,
): Promise<{ summary: JsonObject; blocks: Block[] }> {
  // By name: which sum the coordinator met first depends on who was faster.
  const sorted = [...inputs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const bytes = Buffer.concat(
    sorted.flatMap(({ name, data }) => [Buffer.from(name), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]),
  );
  const digest = createHash('sha256').update(bytes).digest('hex');
  const files = [{ name: 'sums.bin', sha256: digest, bytes: bytes.length }];
  await writeFile(join(staging, 'sums.bin'), bytes);
  if (paddingBytes !== undefined) {
    const padding = Buffer.alloc(paddingBytes);
    await writeFile(join(staging, 'padding.bin'), padding);
    files.push({ name: 'padding.bin', sha256: createHash('sha256').update(padding).digest('hex'), bytes: paddingBytes });
  }
  await writeManifest(staging, { formatVersion: 1, kind: 'posterior', files });
  return { summary: { digest, files }, blocks: [] };
}
