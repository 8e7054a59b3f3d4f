/** Elements of one block: a tile of 1,024 x 1,024 in float32, 4 MiB. */
export const BLOCK_ELEMENTS = 1024 * 1024;

/** What a plain socket is given at a time. */
export const SOCKET_CHUNK_BYTES = 1024 * 1024;
