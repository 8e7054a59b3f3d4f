import { promisify } from 'node:util';
import { constants, createGunzip, createInflate, deflate, gzip } from 'node:zlib';
import { SublaceError } from '@sublace/errors';
import { HttpError } from './http-error.ts';

/** Content coding of a request or response body; `deflate` is the zlib format, as clients send it. */
export type ContentCoding = 'gzip' | 'deflate';

const compressors = { gzip: promisify(gzip), deflate: promisify(deflate) };
const decompressors = { gzip: createGunzip, deflate: createInflate };

/** Below this size a body travels faster than it compresses. */
const compressBytesMin = 1024;

/**
 * A request body without its content coding.
 *
 * @param body  As it came.
 * @param coding  The Content-Encoding header, if any.
 * @param bytesMax  Limit of the result, so that a small body cannot become a huge one.
 * @param grow  Is told of the bytes of each part of the result before it is kept; throws where there is no room for them.
 * @returns  The body itself when it has no coding.
 * @throws HttpError 415 for an unknown coding, 413 beyond the limit, 400 for a damaged body; what `grow` throws.
 */
export async function decodeBody(
  body: Buffer,
  coding: string | undefined,
  bytesMax: number,
  grow: (bytes: number) => void = () => undefined,
): Promise<Buffer> {
  const name = coding?.trim().toLowerCase() ?? 'identity';
  if (name === 'identity' || name === '') return body;
  if (!isCoding(name)) throw new HttpError(415, `expected Content-Encoding gzip, deflate or identity, got '${name}'`);
  const parts: Buffer[] = [];
  let bytes = 0;
  const decompressor = decompressors[name]();
  decompressor.end(body);
  try {
    for await (const part of decompressor as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > bytesMax) throw new HttpError(413, `expected a body of at most ${bytesMax} bytes, got more after decompression`);
      grow(part.length);
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof HttpError || error instanceof SublaceError) throw error;
    throw new HttpError(400, `expected a ${name} body, got ${(error as Error).message}`);
  }
  return Buffer.concat(parts, bytes);
}

/**
 * The coding of a response body: the first of gzip and deflate that the client accepts, if the body is worth it.
 *
 * @param accepted  The Accept-Encoding header, if any.
 * @param bodyBytes  Size of the body.
 * @returns  Null: send it as it is.
 */
export function chooseCoding(accepted: string | undefined, bodyBytes: number): ContentCoding | null {
  if (!accepted || bodyBytes < compressBytesMin) return null;
  const names = accepted
    .split(',')
    .map((entry) =>
      entry
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .filter(([, ...parameters]) => !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)))
    .map(([name]) => name);
  return (['gzip', 'deflate'] as const).find((name) => names.includes(name)) ?? null;
}

/**
 * Compresses a response body, at the fastest level: tensors hardly shrink, and the time is the client's.
 *
 * @param body  The whole body.
 * @param coding  What `chooseCoding` returned.
 * @returns  The compressed body.
 */
export async function encodeBody(body: Uint8Array, coding: ContentCoding): Promise<Buffer> {
  return compressors[coding](body, { level: constants.Z_BEST_SPEED });
}

function isCoding(name: string): name is ContentCoding {
  return name === 'gzip' || name === 'deflate';
}
