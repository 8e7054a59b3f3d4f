/** Shards that keep tens of workers busy: as many are made where there are rows enough for them. */
const SHARD_COUNT = 64;

/** Shards at most, unless the user sets their size: two for each of a thousand workers, and more. */
const SHARD_COUNT_MAX = 4096;

/**
 * Backward rows that a shard has at least, so that computing it (rows x S^2 flops at some 1e11 flop/s) takes ten times as long as moving its
 * tiles (2 S^2 bytes at some 1e9 byte/s), also where only half of the rows are worth computing.
 */
const ROWS_MIN = 4096;

/** Backward rows of a shard where there are more of those: moving its tiles is then one part in eighty of computing it. */
const ROWS_MIN_OF_MANY = 32_768;

/**
 * Cuts the examples into contiguous shards. They depend on the data and the model only, never on the workers: sums of a shard are rounded in
 * float32, so other shards would give other bits.
 *
 * @param exampleCount  N.
 * @param outputCount  C.
 * @param shardSize  Examples per shard; 0 lets the rule above choose.
 * @returns  Shards in order, which together cover every example once.
 */
export function planShards(exampleCount: number, outputCount: number, shardSize: number): { start: number; count: number }[] {
  const atMost = (rowsMin: number): number => Math.floor(exampleCount / Math.ceil(rowsMin / outputCount));
  const count = Math.max(1, Math.min(SHARD_COUNT, atMost(ROWS_MIN)), Math.min(SHARD_COUNT_MAX, atMost(ROWS_MIN_OF_MANY)));
  const size = shardSize > 0 ? shardSize : Math.ceil(exampleCount / count);
  return Array.from({ length: Math.ceil(exampleCount / size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, exampleCount - i * size),
  }));
}
