import { readFields, writeFields, type WireField } from './protobuf-wire.ts';

// Field numbers of google/protobuf/descriptor.proto. All that has a name has it in field 1.
const NAME = 1;
const ofFile = { package: 2, messageType: 4, enumType: 5, service: 6 };
const ofMessage = { field: 2, nestedType: 3, enumType: 4, options: 7 };
const ofField = { typeName: 6 };
const ofMessageOptions = { mapEntry: 7 };
const ofService = { method: 2 };

/**
 * Name of a file, and the full names of what it declares: services, methods, messages, enumerations.
 *
 * @param file  A serialised FileDescriptorProto that this process made itself.
 * @returns  Both.
 */
export function findSymbols(file: Buffer): { name: string; symbols: string[] } {
  const fields = readFields(file);
  const scope = scopeOf(textOf(fields, ofFile.package));
  const services = partsOf(fields, ofFile.service).flatMap((service) => {
    const name = scope + nameOf(service);
    return [name, ...partsOf(service, ofService.method).map((method) => `${name}.${nameOf(method)}`)];
  });
  const messages = partsOf(fields, ofFile.messageType).flatMap((message) => messageSymbols(message, scope));
  const enumerations = partsOf(fields, ofFile.enumType).map((part) => scope + nameOf(part));
  return { name: nameOf(fields), symbols: [...services, ...messages, ...enumerations] };
}

function messageSymbols(message: WireField[], scope: string): string[] {
  const name = scope + nameOf(message);
  const nested = partsOf(message, ofMessage.nestedType).flatMap((part) => messageSymbols(part, scopeOf(name)));
  return [name, ...nested, ...partsOf(message, ofMessage.enumType).map((part) => `${name}.${nameOf(part)}`)];
}

/**
 * Gives the messages behind maps the names that readers of descriptors insist on: `ParametersEntry` for the map `parameters`, where the
 * library that writes ours has `Parameters`.
 *
 * @param file  A serialised FileDescriptorProto.
 * @returns  The same, with those names.
 */
export function withMapEntryNames(file: Buffer): Buffer {
  const rename = (field: WireField): WireField => ({ ...field, bytes: writeFields(renameMapEntries(readFields(field.bytes))) });
  return writeFields(readFields(file).map((field) => (field.number === ofFile.messageType ? rename(field) : field)));
}

function renameMapEntries(message: WireField[]): WireField[] {
  const entries = new Set(partsOf(message, ofMessage.nestedType).filter(isMapEntry).map(nameOf));
  return message.map((field): WireField => {
    if (field.number !== ofMessage.nestedType && field.number !== ofMessage.field) return field;
    const isNested = field.number === ofMessage.nestedType;
    const part = isNested ? renameMapEntries(readFields(field.bytes)) : readFields(field.bytes);
    const renamed = part.map((inner): WireField => {
      const isReference = inner.number === (isNested ? NAME : ofField.typeName) && entries.has(inner.bytes.toString());
      return isReference ? { ...inner, bytes: Buffer.from(`${inner.bytes.toString()}Entry`) } : inner;
    });
    return { ...field, bytes: writeFields(renamed) };
  });
}

function isMapEntry(message: WireField[]): boolean {
  return partsOf(message, ofMessage.options).some((options) =>
    options.some(({ number, bytes }) => number === ofMessageOptions.mapEntry && bytes[0] === 1),
  );
}

function partsOf(fields: WireField[], number: number): WireField[][] {
  return fields.filter((field) => field.number === number).map(({ bytes }) => readFields(bytes));
}

function nameOf(fields: WireField[]): string {
  return textOf(fields, NAME);
}

function textOf(fields: WireField[], number: number): string {
  return fields.find((field) => field.number === number)?.bytes.toString() ?? '';
}

function scopeOf(name: string): string {
  return name === '' ? '' : `${name}.`;
}
