/**
 * A message of gRPC as the JSON of its REST twin: the same fields, named as in the .proto file.
 *
 * @param message  Plain values, lists and objects, whose keys are field names.
 * @returns  A copy.
 */
export function snakeCaseKeys(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(snakeCaseKeys);
  if (typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [snakeCase(key), snakeCaseKeys(value)]));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
