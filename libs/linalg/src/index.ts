export { factorise, type Factorisation } from './factorise.ts';
export { denseFromTiles, tilesFromDense } from './symmetric-tiles.ts';
