export { factorise, type Factorisation, type FactoriseOptions, type NotPositiveDefinite } from './factorise.ts';
export { CholeskyFactor } from './cholesky-factor.ts';
export { combineTiles, type TileTerm } from './combine-tiles.ts';
export { quadraticForm } from './quadratic-form.ts';
export { blocksOf, type TileSource } from './tile-source.ts';
export { principalSubmatrix } from './principal-submatrix.ts';
export { denseOf, diagonalOf, TiledMatrix } from './tiled-matrix.ts';
