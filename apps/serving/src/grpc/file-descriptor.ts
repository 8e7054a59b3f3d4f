/** Fields of FileDescriptorProto, DescriptorProto and ServiceDescriptorProto (google/protobuf/descriptor.proto) that hold names. */
const fileFields = { name: 1, package: 2, messageType: 4, enumType: 5, service: 6 };
const messageFields = { name: 1, nestedType: 3, enumType: 4 };
const serviceFields = { name: 1, method: 2 };

/**
 * Name of a file, and the full names of what it declares: services, methods, messages, enumerations.
 *
 * @param file  A serialised FileDescriptorProto that this process made itself.
 * @returns  Both.
 */
export function findSymbols(file: Buffer): { name: string; symbols: string[] } {
  const fields = fieldsOf(file);
  const prefix = textOf(fields, fileFields.package);
  const scope = prefix === '' ? '' : `${prefix}.`;
  const named = (field: number): string[] => partsOf(fields, field).map((part) => scope + nameOf(part));
  const services = partsOf(fields, fileFields.service).flatMap((part) => {
    const service = scope + nameOf(part);
    return [service, ...partsOf(fieldsOf(part), serviceFields.method).map((method) => `${service}.${nameOf(method)}`)];
  });
  const messages = partsOf(fields, fileFields.messageType).flatMap((part) => messageSymbols(part, scope));
  return { name: textOf(fields, fileFields.name), symbols: [...services, ...messages, ...named(fileFields.enumType)] };
}

function messageSymbols(message: Buffer, scope: string): string[] {
  const name = scope + nameOf(message);
  const fields = fieldsOf(message);
  const nested = partsOf(fields, messageFields.nestedType).flatMap((part) => messageSymbols(part, `${name}.`));
  return [name, ...nested, ...partsOf(fields, messageFields.enumType).map((part) => `${name}.${nameOf(part)}`)];
}

type Fields = [field: number, bytes: Buffer][];

/** The length-delimited fields of a message, in order; others are skipped. */
function fieldsOf(message: Buffer): Fields {
  const fields: Fields = [];
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
    if (type === 0) varint();
    else if (type === 2) {
      const length = varint();
      fields.push([tag >>> 3, message.subarray(offset, offset + length)]);
      offset += length;
    } else offset += type === 1 ? 8 : 4;
  }
  return fields;
}

function partsOf(fields: Fields, field: number): Buffer[] {
  return fields.filter(([number]) => number === field).map(([, bytes]) => bytes);
}

function textOf(fields: Fields, field: number): string {
  return partsOf(fields, field)[0]?.toString() ?? '';
}

/** All three kinds of parts have their name in field 1. */
function nameOf(part: Buffer): string {
  return textOf(fieldsOf(part), messageFields.name);
}
