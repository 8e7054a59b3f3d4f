/**
 * Pulling blocks over gRPC on loopback, one connection, beside a plain socket and a memory copy; server and client are separate processes.
 *
 *   npm run bench -- transport [--megabytes N] [--repetitions N]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { freeBlock } from '@sublace/partials';
import { createBlocksClient, type BlocksClient } from '@sublace/protocol';
import { summarise } from '../numerics/report/statistics.ts';
import { formatTable } from '../numerics/report/table.ts';
import { BLOCK_ELEMENTS } from './transport-sizes.ts';

const BLOCK_BYTES = 4 * BLOCK_ELEMENTS;
const LEASE = { jobId: 'bench', phase: 'accumulate', shard: 0, leaseToken: 1 } as const;

/** One repetition, bytes and seconds; processor time of both processes, where both take part. */
interface Run {
  bytes: number;
  seconds: number;
  clientCpu: number;
  serverCpu: number;
}

/**
 * Measures and prints a table.
 *
 * @param args  Options.
 */
export async function transport(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { megabytes: { type: 'string', default: '512' }, repetitions: { type: 'string', default: '7' } },
  });
  const blockCount = Math.max(1, Math.round((Number(values.megabytes) * 2 ** 20) / BLOCK_BYTES));
  const repetitions = Number(values.repetitions);
  const server = fork(fileURLToPath(new URL('./transport-server.ts', import.meta.url)));
  try {
    const [{ grpcPort, socketPort }] = (await once(server, 'message')) as [{ grpcPort: number; socketPort: number }];
    const client = createBlocksClient(`127.0.0.1:${grpcPort}`);
    const names = Array.from({ length: blockCount }, (_, k) => `block/${k}`);
    const bytes = blockCount * BLOCK_BYTES;
    const ways: Record<string, () => Promise<void> | void> = {
      'blocks over gRPC': () => pull(client, names),
      'blocks over gRPC, two pulls at once': async () => {
        const half = Math.ceil(blockCount / 2);
        await Promise.all([pull(client, names.slice(0, half)), pull(client, names.slice(half))]);
      },
      'plain socket, copied': () => readSocket(socketPort, bytes),
      'memory copy, fresh target': () => copy(blockCount),
      checksum: () => checksum(blockCount),
    };
    // Interleaved, so that a slow moment of the machine hits all ways alike; the first round only warms up.
    const runs = new Map<string, Run[]>(Object.keys(ways).map((way) => [way, []]));
    for (let round = 0; round <= repetitions; round++) {
      for (const [way, run] of Object.entries(ways)) {
        const measured = await measure(server, bytes, run);
        if (round > 0) runs.get(way)?.push(measured);
      }
    }
    client.close();
    report(runs, blockCount, repetitions);
  } finally {
    server.disconnect();
  }
}

async function pull(client: BlocksClient, names: string[]): Promise<void> {
  for await (const block of client.pullBlocks(LEASE, names)) {
    if (block.data.length !== BLOCK_ELEMENTS) throw new Error(`expected ${BLOCK_ELEMENTS} elements, got ${block.data.length}`);
    freeBlock(block);
  }
}

async function readSocket(port: number, bytes: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  const request = Buffer.alloc(8);
  request.writeBigUInt64LE(BigInt(bytes));
  socket.write(request);
  let target = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  let received = 0;
  for await (const data of socket as AsyncIterable<Buffer>) {
    received += data.length;
    const first = data.subarray(0, BLOCK_BYTES - filled);
    target.set(first, filled);
    filled += first.length;
    if (filled < BLOCK_BYTES) continue;
    // A fresh array for every block, as the other way has it.
    target = new Uint8Array(BLOCK_BYTES);
    target.set(data.subarray(first.length));
    filled = data.length - first.length;
  }
  if (received !== bytes) throw new Error(`expected ${bytes} bytes, got ${received}`);
}

const source = new Uint8Array(BLOCK_BYTES).fill(7);

function copy(blockCount: number): void {
  for (let k = 0; k < blockCount; k++) new Uint8Array(BLOCK_BYTES).set(source);
}

function checksum(blockCount: number): void {
  for (let k = 0; k < blockCount; k++) crc32(source);
}

async function measure(server: ChildProcess, bytes: number, work: () => Promise<void> | void): Promise<Run> {
  const [serverBefore, before, startMs] = [await cpuOf(server), process.cpuUsage(), performance.now()];
  await work();
  const seconds = (performance.now() - startMs) / 1000;
  const used = process.cpuUsage(before);
  return { bytes, seconds, clientCpu: (used.user + used.system) / 1e6, serverCpu: (await cpuOf(server)) - serverBefore };
}

/** Processor seconds of the other process so far. */
async function cpuOf(server: ChildProcess): Promise<number> {
  const answer = once(server, 'message');
  server.send('cpu');
  const [{ user, system }] = (await answer) as [NodeJS.CpuUsage];
  return (user + system) / 1e6;
}

function report(runs: ReadonlyMap<string, readonly Run[]>, blockCount: number, repetitions: number): void {
  const rateOf = (way: string): number => summarise((runs.get(way) ?? []).map((run) => run.bytes / run.seconds / 1e9)).median;
  const rows = [...runs].map(([way, measured]) => {
    const { median, lower, upper } = summarise(measured.map((run) => run.bytes / run.seconds / 1e9));
    const perGigabyte = (cpu: (run: Run) => number): string =>
      summarise(measured.map((run) => (1e9 * cpu(run)) / run.bytes)).median.toFixed(3);
    return [
      way,
      median.toFixed(2),
      `${lower.toFixed(2)} to ${upper.toFixed(2)}`,
      (median / rateOf('plain socket, copied')).toFixed(2),
      (median / rateOf('memory copy, fresh target')).toFixed(2),
      perGigabyte(({ clientCpu }) => clientCpu),
      perGigabyte(({ serverCpu }) => serverCpu),
    ];
  });
  console.log(
    `${blockCount} blocks of ${BLOCK_BYTES / 2 ** 20} MiB, median of ${repetitions}; processor time counts all threads of a process\n`,
  );
  console.log(formatTable(['way', 'GB/s', 'quartiles', 'of socket', 'of copy', 'receiver, CPU s per GB', 'sender, CPU s per GB'], rows));
}
