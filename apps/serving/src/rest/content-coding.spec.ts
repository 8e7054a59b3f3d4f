import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { chooseCoding, decodeBody, encodeBody } from './content-coding.ts';

const body = Buffer.from('tensor '.repeat(300));

describe('decodeBody', () => {
  it('undoes gzip and deflate in any case, and leaves the rest alone', async () => {
    expect(await decodeBody(gzipSync(body), 'GZIP', 1e6)).toEqual(body);
    expect(await decodeBody(deflateSync(body), ' deflate', 1e6)).toEqual(body);
    expect(await decodeBody(body, undefined, 1e6)).toBe(body);
    expect(await decodeBody(body, 'identity', 1e6)).toBe(body);
  });

  const bomb = gzipSync(Buffer.alloc(1e6));
  const refused: [string, Buffer, string, number, RegExp][] = [
    ['a coding it does not know', body, 'br', 415, /expected Content-Encoding gzip, deflate or identity, got 'br'/],
    ['one coding inside another', body, 'gzip, deflate', 415, /got 'gzip, deflate'/],
    ['a body that grows beyond the limit', bomb, 'gzip', 413, /at most 100000 bytes/],
    ['a body that is not what it says', body, 'gzip', 400, /expected a gzip body/],
    ['a truncated body', gzipSync(body).subarray(0, 20), 'gzip', 400, /unexpected end/],
  ];
  it.each(refused)('refuses %s', async (_, bytes, coding, statusCode, message) => {
    await expect(decodeBody(bytes, coding, 1e5)).rejects.toEqual(
      expect.objectContaining({ statusCode, message: expect.stringMatching(message) as string }),
    );
  });
});

describe('chooseCoding', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['br;q=1.0, deflate;q=0.5, GZIP;q=0.1', 'gzip'],
    ['gzip;q=0, deflate', 'deflate'],
    ['gzip; q=0.000', null],
    ['br', null],
  ])('%s -> %s', (accepted, coding) => {
    expect(chooseCoding(accepted, 1e6)).toBe(coding);
  });

  it('sends small bodies as they are', () => {
    expect(chooseCoding('gzip', 1000)).toBeNull();
  });
});

describe('encodeBody', () => {
  it('is undone by the standard decoders', async () => {
    expect(gunzipSync(await encodeBody(body, 'gzip'))).toEqual(body);
    expect(inflateSync(await encodeBody(body, 'deflate'))).toEqual(body);
  });
});
