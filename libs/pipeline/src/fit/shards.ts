/**
 * How many shards are made, at most, of at least how many backward rows each. Moving and adding the tiles of a shard costs as much as computing some
 * hundreds of rows, whatever S, and cores that move tiles do not compute. So the first few shards, which two or three workers need to be busy at all,
 * may be small; more of them are made only where there is more to compute, until moving them is one part in eighty, also where only a fifth of the
 * rows are worth computing. 64 keep tens of workers busy, 4,096 a thousand and more.
 */
const TIERS = [
  { shardsMax: 8, rowsMin: 4096 },
  { shardsMax: 64, rowsMin: 16_384 },
  { shardsMax: 4096, rowsMin: 32_768 },
] as const;

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
  const counts = TIERS.map(({ shardsMax, rowsMin }) => Math.min(shardsMax, Math.floor(exampleCount / Math.ceil(rowsMin / outputCount))));
  const count = Math.max(1, ...counts);
  const size = shardSize > 0 ? shardSize : Math.ceil(exampleCount / count);
  return Array.from({ length: Math.ceil(exampleCount / size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, exampleCount - i * size),
  }));
}
