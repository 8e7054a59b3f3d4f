/** A field of a protocol buffer message, encoded. */
export type Field = Uint8Array;

/**
 * A field that is a whole number or a flag, also a negative one.
 *
 * @param number  Field number.
 * @param value  Its value.
 * @returns  The bytes.
 */
export function integerField(number: number, value: number | bigint): Field {
  return Uint8Array.from([...varint(BigInt(number) << 3n), ...varint(BigInt.asUintN(64, BigInt(value)))]);
}

/**
 * A field that is a float32.
 *
 * @param number  Field number.
 * @param value  Its value.
 * @returns  The bytes.
 */
export function floatField(number: number, value: number): Field {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return Uint8Array.from([...varint((BigInt(number) << 3n) | 5n), ...bytes]);
}

/**
 * A field of bytes: a text, or raw bytes.
 *
 * @param number  Field number.
 * @param value  Its value.
 * @returns  The bytes.
 */
export function bytesField(number: number, value: string | Uint8Array): Field {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([Uint8Array.from([...varint((BigInt(number) << 3n) | 2n), ...varint(BigInt(bytes.length))]), bytes]);
}

/**
 * A field that is a message.
 *
 * @param number  Field number.
 * @param fields  Of the message.
 * @returns  The bytes.
 */
export function messageField(number: number, ...fields: readonly Field[]): Field {
  return bytesField(number, Buffer.concat(fields));
}

/** Seven bits a byte, the lowest first. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  bytes.push(Number(value));
  return bytes;
}
