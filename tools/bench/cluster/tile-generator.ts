/**
 * A task runner that makes tiles up: a fit as large as one likes without a model, for measuring how sums are moved and held. What it "finalises" is the
 * digest of every bit of the sums, pulled from the reducers tile by tile.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeManifest } from '@sublace/artifact-store';
import { ownerOfTile, tilesOfLowerTriangle, type Block, type Tile } from '@sublace/partials';
import { createBlocksClient, type Security } from '@sublace/protocol';
import type { JsonObject, LeaseRef, Phase } from '@sublace/scheduling';

/** What is asked for. */
export interface GeneratedSpec {
  output: string;
  /** S. */
  size: number;
  shardCount: number;
}

/** What of a worker's task is used here. */
interface GeneratedTask {
  spec: JsonObject;
  phase: Phase;
  shard: number;
  inputs: Block[];
  staging?: string;
  reducers?: { addresses: string[]; lease: LeaseRef; security: Security };
}

interface GeneratedResult {
  summary: JsonObject;
  blocks: Block[];
}

/** The reducers' tiles never lie in the worker all at once. */
export const pullsTiles = true;

/**
 * Computes one task.
 *
 * @param task  Phase, shard, spec.
 * @returns  Summary and blocks.
 */
export async function runFitTask(task: GeneratedTask): Promise<GeneratedResult> {
  const { size, shardCount } = task.spec as unknown as GeneratedSpec;
  switch (task.phase) {
    case 'plan':
      return { summary: { shards: Array.from({ length: shardCount }, (_, start) => ({ start, count: 1 })) }, blocks: [] };
    case 'score':
      return { summary: {}, blocks: [] };
    case 'select':
      return { summary: { size, maxDiagonal: shardCount }, blocks: [{ name: 'indices/0', shape: [1], data: Int32Array.of(0) }] };
    case 'accumulate':
      return { summary: {}, blocks: tilesOfLowerTriangle(size).map((tile) => generate(tile, task.shard)) };
    case 'finalise':
      return finalise(task, size);
  }
}

/** Elements within 1, over sixteen binary orders of magnitude: rounding would show in any other order of addition. */
function generate({ name, row, column, rows, columns }: Tile, shard: number): Block {
  const data = new Float32Array(rows * columns);
  let state = (Math.imul(shard + 1, 0x9e3779b1) ^ Math.imul(row * 4096 + column + 1, 0x85ebca6b)) | 1;
  for (let i = 0; i < data.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = (state / 2 ** 31) * SCALES[state & 15];
  }
  return { name, shape: [rows, columns], data };
}

const SCALES = Float64Array.from({ length: 16 }, (_, i) => 2 ** -i);

async function finalise({ inputs, reducers, staging }: GeneratedTask, size: number): Promise<GeneratedResult> {
  const digests = new Map(inputs.map(({ name, data }) => [name, digestOf(data)]));
  if (reducers) {
    const { addresses, lease, security } = reducers;
    for (const [slot, address] of addresses.entries()) {
      const names = tilesOfLowerTriangle(size)
        .filter((tile) => ownerOfTile(tile, addresses.length) === slot)
        .map(({ name }) => name);
      const client = createBlocksClient(address, security);
      for await (const { name, data } of client.pullBlocks(lease, names)) digests.set(name, digestOf(data));
      client.close();
    }
  }
  const lines = [...digests].map(([name, digest]) => `${name} ${digest}\n`).sort();
  const text = lines.join('');
  const digest = createHash('sha256').update(text).digest('hex');
  const files = [{ name: 'digests.txt', sha256: digest, bytes: text.length }];
  await writeFile(join(staging!, 'digests.txt'), text);
  await writeManifest(staging!, { formatVersion: 1, kind: 'posterior', files });
  return { summary: { digest, files, tiles: lines.length }, blocks: [] };
}

function digestOf(data: Block['data']): string {
  return createHash('sha256').update(data).digest('hex');
}
