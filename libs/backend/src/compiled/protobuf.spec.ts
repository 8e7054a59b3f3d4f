import { describe, expect, it } from 'vitest';
import { bytesField, floatField, integerField, messageField } from './protobuf.ts';

describe('protocol buffer fields', () => {
  // The examples of the encoding's documentation (protobuf.dev/programming-guides/encoding), and what follows from them.
  it.each([
    ['150', integerField(1, 150), '089601'],
    ['-2', integerField(1, -2), '08feffffffffffffffff01'],
    ['testing', bytesField(2, 'testing'), '120774657374696e67'],
    ['a message of 150', messageField(3, integerField(1, 150)), '1a03089601'],
    ['a float', floatField(4, 1), '250000803f'],
    ['a high field number', integerField(16, 1), '800101'],
    ['an empty message', messageField(5), '2a00'],
  ])('%s', (_, bytes, expected) => {
    expect(Buffer.from(bytes).toString('hex')).toBe(expected);
  });

  it('writes lengths beyond one byte', () => {
    expect(Buffer.from(bytesField(1, new Uint8Array(300))).subarray(0, 3).toString('hex')).toBe('0aac02'); // prettier-ignore
  });
});
