/** How the body of a request may travel. */
export type BodyCoding = 'gzip' | 'deflate';

/** Below this many bytes a body travels as it is: what would be saved is less than what it takes. */
const compressedBytesMin = 1024;

/**
 * Compresses a body where that makes sense and can be done.
 *
 * @param body  Bytes.
 * @param coding  Wanted coding, if any.
 * @returns  The bytes to send, and the coding that they have; none for a small body and in an engine without CompressionStream.
 */
export async function compressBody(
  body: Uint8Array<ArrayBuffer>,
  coding: BodyCoding | undefined,
): Promise<{ body: Uint8Array<ArrayBuffer>; coding?: BodyCoding }> {
  if (!coding || body.length < compressedBytesMin || typeof CompressionStream === 'undefined') return { body };
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream(coding));
  return { body: new Uint8Array(await new Response(stream).arrayBuffer()), coding };
}
