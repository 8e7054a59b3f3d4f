/** A value as JSON has it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** An object as JSON has it. */
export interface JsonObject {
  [name: string]: JsonValue | undefined;
}
