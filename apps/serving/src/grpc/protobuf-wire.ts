/** One field of a protobuf message as it is on the wire. */
export interface WireField {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly type: number;
  /** Without tag and length; a varint as it is encoded. */
  readonly bytes: Buffer;
}

/**
 * The fields of a message, in order. For messages that this process made itself: what is no protobuf is not told.
 *
 * @param message  Serialised.
 * @returns  Slices of it.
 */
export function readFields(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let offset = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = message[offset++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (offset < message.length) {
    const tag = varint();
    const type = tag & 7;
    let end = offset + (type === 1 ? 8 : 4);
    if (type === 0) {
      end = offset;
      while (message[end++] >= 128);
    } else if (type === 2) {
      const length = varint();
      end = offset + length;
    }
    fields.push({ number: tag >>> 3, type, bytes: message.subarray(offset, end) });
    offset = end;
  }
  return fields;
}

/**
 * The inverse of {@link readFields}.
 *
 * @param fields  In order.
 * @returns  The serialised message.
 */
export function writeFields(fields: readonly WireField[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, type, bytes }) => [varintOf(number * 8 + type), ...(type === 2 ? [varintOf(bytes.length)] : []), bytes]),
  );
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
