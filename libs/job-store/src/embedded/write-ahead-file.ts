import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { SublaceError } from '@sublace/errors';

/** An append-only file of JSON records, one per line after its checksum in hexadecimal. */
export class WriteAheadFile<Entry> {
  readonly #path: string;
  #fd: number;
  #size: number;

  private constructor(path: string, fd: number, size: number) {
    this.#path = path;
    this.#fd = fd;
    this.#size = size;
  }

  /**
   * Opens or creates a file and reads what is in it. A torn last line, the trace of a process that died while writing, is cut off; its record
   * was never acknowledged.
   *
   * @param path  The file.
   * @returns  The file, open for appending, and its records in order.
   * @throws SublaceError DIGEST_MISMATCH when a line other than a torn last one is damaged.
   */
  static open<Entry>(path: string): { file: WriteAheadFile<Entry>; entries: Entry[] } {
    const text = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const entries: Entry[] = [];
    let start = 0;
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, start)) {
      const line = text.subarray(start, end);
      const json = line.subarray(9);
      if (line.subarray(0, 9).toString('latin1') !== `${checksum(json)} `) {
        const where = `${path}, line ${entries.length + 1}`;
        throw new SublaceError(
          'DIGEST_MISMATCH',
          `${where}: expected a record with its checksum, got damage; move the file away to start afresh`,
        );
      }
      entries.push(JSON.parse(json.toString('utf8')) as Entry);
      start = end + 1;
    }
    const fd = openSync(path, 'a');
    if (start < text.length) ftruncateSync(fd, start);
    return { file: new WriteAheadFile<Entry>(path, fd, start), entries };
  }

  /**
   * Appends a record.
   *
   * @param entry  JSON.
   * @param isDurable  Whether it must be on the disk, not only with the operating system, before this returns.
   * @throws SublaceError OUTPUT_UNWRITABLE when it cannot be written; nothing of it stays in the file then.
   */
  append(entry: Entry, isDurable: boolean): void {
    const json = Buffer.from(JSON.stringify(entry));
    const line = Buffer.concat([Buffer.from(`${checksum(json)} `), json, Buffer.from('\n')]);
    try {
      for (let written = 0; written < line.length;) written += writeSync(this.#fd, line, written);
      if (isDurable) fdatasyncSync(this.#fd);
      this.#size += line.length;
    } catch (error) {
      ftruncateSync(this.#fd, this.#size);
      throw new SublaceError(
        'OUTPUT_UNWRITABLE',
        `${this.#path}: expected to append ${line.length} bytes, got: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  /** Closes the file. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

function checksum(json: Uint8Array): string {
  return crc32(json).toString(16).padStart(8, '0');
}
