export { BLOCK_BYTES_MAX, checkBlock, dtypeOf, elementCount, freeBlock, type Block, type BlockData, type BlockDtype } from './block.ts';
export { TILE_SIZE, CHUNK_ELEMENTS, tilesOfLowerTriangle, chunksOfVector, type Tile, type Chunk } from './tile.ts';
export { ownerGrid, ownerOfTile, type OwnerGrid } from './tile-map.ts';
export { FixedQuantumSum, quantumExponent } from './fixed-quantum-sum.ts';
export { BinnedSum, type BinnedSumState } from './binned-sum.ts';
