import { SublaceError } from '@sublace/errors';

/** A set of shards as one bit each: a sum of many tiles over many thousand shards keeps one such set per tile. */
export class ShardSet {
  #words: Uint32Array;

  /**
   * @param words  Bits to start with, 32 shards per word; owned by the set.
   */
  constructor(words: Uint32Array = new Uint32Array(1)) {
    this.#words = words;
  }

  /**
   * Adds a shard.
   *
   * @param shard  Its index.
   */
  add(shard: number): void {
    const word = Math.floor(shard / 32);
    if (word >= this.#words.length) {
      const grown = new Uint32Array(Math.max(word + 1, 2 * this.#words.length));
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[word] |= 1 << (shard % 32);
  }

  /**
   * Whether a shard is in it.
   *
   * @param shard  Its index.
   * @returns  True when it was added.
   */
  has(shard: number): boolean {
    return ((this.#words[Math.floor(shard / 32)] ?? 0) & (1 << (shard % 32))) !== 0;
  }

  /**
   * The set as text, for a manifest.
   *
   * @returns  Base64 of its words, little-endian.
   */
  toText(): string {
    return Buffer.from(this.#words.buffer, this.#words.byteOffset, this.#words.byteLength).toString('base64');
  }

  /**
   * A set from its text.
   *
   * @param text  From {@link toText}.
   * @returns  A fresh set.
   * @throws SublaceError DIGEST_MISMATCH when it is none.
   */
  static fromText(text: string): ShardSet {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length === 0 || bytes.length % 4 !== 0) {
      throw new SublaceError('DIGEST_MISMATCH', `set of shards: expected whole words, got ${bytes.length} bytes`);
    }
    return new ShardSet(new Uint32Array(Uint8Array.from(bytes).buffer));
  }
}
