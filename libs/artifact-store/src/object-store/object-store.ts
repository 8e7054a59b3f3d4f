/** What an object must be for a write to happen; with none of these the write always happens. */
export interface PutOptions {
  /** Only when there is no object under the key. */
  ifAbsent?: boolean;
  /** Only when the object under the key has this etag, from `put` or `head`. */
  ifMatch?: string;
}

/** Part of an object. */
export interface ByteRange {
  /** First byte. Default 0. */
  start?: number;
  /** The byte after the last one. Default: the object's size; beyond it there is nothing. */
  end?: number;
}

/** What is known of an object without reading it. */
export interface ObjectHead {
  bytes: number;
  /** Changes whenever the content does. */
  etag: string;
}

/** One object of a listing. */
export interface ListedObject {
  key: string;
  bytes: number;
}

/** The longest key. */
export const KEY_LENGTH_MAX = 900;

/**
 * Bytes by key, in a folder or in a bucket. A reader of a key finds the old bytes, none, or all of the new ones, whatever happens to the writer.
 *
 * Keys are parts of letters, digits and `. _ -` with `/` between them; no part starts with a dot or a minus sign, so none can leave the store. A key
 * may not be another one's folder (`a` beside `a/b`): in a bucket that would work, in a folder it cannot.
 *
 * Every method throws SublaceError INVALID_ARGUMENT for a key that is none; UNAVAILABLE or DEADLINE_EXCEEDED when the store cannot be reached;
 * UNAUTHENTICATED when it refuses these credentials; OUTPUT_UNWRITABLE when it can be read but not be written.
 */
export interface ObjectStore {
  /** What it was opened with, without anything secret. */
  readonly uri: string;
  /**
   * Writes an object, whole or not at all; it outlives a crash of the machine once this returns.
   *
   * @throws SublaceError CONFLICT when the condition of the options does not hold.
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<{ etag: string }>;
  /**
   * Reads an object or a part of it. For what fits in memory; the rest by ranges or `getFile`.
   *
   * @throws SublaceError NOT_FOUND when there is none.
   */
  get(key: string, range?: ByteRange): Promise<Uint8Array>;
  /** Size and etag of an object; undefined when there is none. */
  head(key: string): Promise<ObjectHead | undefined>;
  /** The objects whose keys start with a prefix, which may end in the middle of a part; ordered by key, byte by byte. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Removes an object; one that is gone already is fine. */
  delete(key: string): Promise<void>;
  /** `put` with the content of a file of any size, read in pieces; nothing may change it meanwhile. */
  putFile(key: string, path: string, options?: PutOptions): Promise<{ etag: string }>;
  /**
   * Writes an object of any size to a file, which appears whole or not at all.
   *
   * @throws SublaceError NOT_FOUND when there is none, OUTPUT_UNWRITABLE when the file cannot be written.
   */
  getFile(key: string, path: string): Promise<void>;
  /**
   * Removes what writers left that were killed in the middle of a `put`: unfinished files or uploads, which no reader sees but which take space.
   *
   * @param prefix  Of the keys that were being written.
   * @param olderThanMs  Younger ones may still be written.
   * @returns  How many were removed.
   */
  sweep(prefix: string, olderThanMs: number): Promise<number>;
  /** Ends its connections. */
  close(): void;
}
