import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { SublaceError } from '@sublace/errors';
import { errnoOf } from '../../check-writable.ts';
import { checkKey, checkPrefix, checkRange, conflict, noObject, requireFile } from '../keys.ts';
import type { ByteRange, ListedObject, ObjectHead, ObjectStore, PutOptions } from '../object-store.ts';
import { checkConditions } from './check-conditions.ts';
import { endpointOf, loadSdk, makeClient, type S3Sdk } from './s3-client.ts';
import { failureOf, isConflict, isMissing, toSublaceError } from './s3-errors.ts';
import { formatS3Uri, parseS3Uri, type S3Location } from './s3-uri.ts';

/** Larger files are uploaded in parts of at least this size. */
const PART_BYTES_MIN = 16 * 2 ** 20;
/** S3 takes 10,000 at most. */
const PARTS_MAX = 9000;
/** Parts in memory at once. */
const PARTS_AT_ONCE = 4;
/** Times that reading the body of an answer is taken up again where it broke; the SDK repeats requests only until the answer starts. */
const RESUMES_MAX = 4;

interface Connection {
  sdk: S3Sdk;
  client: S3Client;
}

/**
 * Objects in a bucket of a service that speaks S3.
 *
 * @param uri  `s3://BUCKET/PREFIX`, see `parseS3Uri`.
 * @param env  Credentials, region and endpoint. Default: this process's environment.
 * @returns  The store; it connects with its first request.
 * @throws SublaceError INVALID_ARGUMENT when the URI is none.
 */
export function openS3ObjectStore(uri: string, env: NodeJS.ProcessEnv = process.env): ObjectStore {
  return new S3ObjectStore(parseS3Uri(uri), env);
}

class S3ObjectStore implements ObjectStore {
  readonly uri: string;
  readonly #location: S3Location;
  readonly #env: NodeJS.ProcessEnv;
  readonly #prefix: string;
  #connection: Promise<Connection> | undefined;
  #checked: Promise<void> | undefined;

  constructor(location: S3Location, env: NodeJS.ProcessEnv) {
    this.#location = location;
    this.#env = env;
    this.#prefix = location.prefix === '' ? '' : `${location.prefix}/`;
    this.uri = formatS3Uri(location);
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<{ etag: string }> {
    const object = this.#object(key);
    return this.#write(key, options, bytes, async ({ sdk, client }, condition) => {
      const { ETag } = await client.send(new sdk.PutObjectCommand({ ...object, ...condition, Body: bytes, ContentLength: bytes.length }));
      return ETag;
    });
  }

  async get(key: string, { start = 0, end }: ByteRange = {}): Promise<Uint8Array> {
    const place = this.#place(checkKey(key));
    checkRange(place, start, end);
    if (end === start) {
      if ((await this.head(key)) === undefined) throw noObject(place);
      return new Uint8Array(0);
    }
    const chunks: Uint8Array[] = [];
    await this.#read(key, start, end, async (chunk) => void chunks.push(chunk));
    return new Uint8Array(Buffer.concat(chunks));
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const object = this.#object(key);
    return this.#send(key, async ({ sdk, client }) => {
      try {
        const { ContentLength, ETag } = await client.send(new sdk.HeadObjectCommand(object));
        return { bytes: ContentLength!, etag: ETag! };
      } catch (error) {
        if (isMissing(failureOf(error))) return undefined;
        throw error;
      }
    });
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    checkPrefix(prefix);
    let token: string | undefined;
    do {
      const page = await this.#send(prefix, ({ sdk, client }) =>
        client.send(
          new sdk.ListObjectsV2Command({ Bucket: this.#location.bucket, Prefix: this.#prefix + prefix, ContinuationToken: token }),
        ),
      );
      for (const { Key, Size } of page.Contents ?? []) {
        const key = Key!.slice(this.#prefix.length);
        // Somebody else may keep objects here that a store cannot name.
        if (isKey(key)) yield { key, bytes: Size! };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    const object = this.#object(key);
    await this.#send(key, ({ sdk, client }) => client.send(new sdk.DeleteObjectCommand(object)));
  }

  async putFile(key: string, path: string, options: PutOptions = {}): Promise<{ etag: string }> {
    const object = this.#object(key);
    const bytes = await requireFile(path);
    if (bytes <= PART_BYTES_MIN) return this.put(key, await readFile(path), options);
    return this.#write(key, options, undefined, async ({ sdk, client }, condition) => {
      const upload = new sdk.Upload({
        client,
        params: { ...object, ...condition, Body: createReadStream(path, { highWaterMark: 2 ** 20 }) },
        partSize: Math.max(PART_BYTES_MIN, Math.ceil(bytes / PARTS_MAX)),
        queueSize: PARTS_AT_ONCE,
      });
      return (await upload.done()).ETag;
    });
  }

  async getFile(key: string, path: string): Promise<void> {
    checkKey(key);
    const target = resolve(path);
    const copy = join(dirname(target), `.${basename(target)}.writing-${randomUUID()}`);
    const unwritable = (cause: unknown): SublaceError =>
      new SublaceError('OUTPUT_UNWRITABLE', `${target}: expected to write it, got ${errnoOf(cause)}; check the folder`, { cause });
    let handle: FileHandle | undefined;
    try {
      await this.#read(key, 0, undefined, async (chunk) => {
        try {
          handle ??= await open(copy, 'wx');
          await handle.writeFile(chunk);
        } catch (error) {
          throw unwritable(error);
        }
      });
      // An empty object has no chunk.
      handle ??= await open(copy, 'wx').catch((error: unknown) => {
        throw unwritable(error);
      });
      await handle.sync();
      await handle.close();
      await rename(copy, target);
    } catch (error) {
      await handle?.close().catch(() => undefined);
      await rm(copy, { force: true }).catch(() => undefined);
      throw error instanceof SublaceError ? error : unwritable(error);
    }
  }

  async sweep(prefix: string, olderThanMs: number): Promise<number> {
    checkPrefix(prefix);
    const Bucket = this.#location.bucket;
    return this.#send(prefix, async ({ sdk, client }) => {
      let count = 0;
      const { Uploads = [] } = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: this.#prefix + prefix }));
      for (const { Key, UploadId, Initiated } of Uploads) {
        if (Date.now() - Initiated!.getTime() < olderThanMs) continue;
        await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        count++;
      }
      return count;
    });
  }

  close(): void {
    void this.#connection?.then(({ client }) => client.destroy()).catch(() => undefined);
    this.#connection = undefined;
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: this.#prefix + checkKey(key) };
  }

  #place(key: string): string {
    return `s3://${this.#location.bucket}/${this.#prefix}${key}`;
  }

  async #send<T>(key: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    this.#connection ??= loadSdk().then((sdk) => ({ sdk, client: makeClient(sdk, this.#location, this.#env) }));
    try {
      return await request(await this.#connection);
    } catch (error) {
      throw toSublaceError(error, this.#place(key), endpointOf(this.#location, this.#env));
    }
  }

  /** The content, where it fits in memory, tells a write of one's own from another's. */
  async #write(
    key: string,
    { ifAbsent, ifMatch }: PutOptions,
    content: Uint8Array | undefined,
    write: (connection: Connection, condition: { IfNoneMatch?: string; IfMatch?: string }) => Promise<string | undefined>,
  ): Promise<{ etag: string }> {
    const isConditional = ifAbsent === true || ifMatch !== undefined;
    if (isConditional) await this.#checkConditions();
    // An etag of something else would be no valid header.
    if (ifMatch !== undefined && !/^"?[\w-]+"?$/.test(ifMatch)) throw conflict(this.#place(key), false);
    const condition = { ...(ifAbsent === true && { IfNoneMatch: '*' }), ...(ifMatch !== undefined && { IfMatch: ifMatch }) };
    return this.#send(key, async (connection) => {
      try {
        return { etag: (await write(connection, condition))! };
      } catch (error) {
        const failure = failureOf(error);
        if (!isConditional || !(isConflict(failure) || isMissing(failure))) throw error;
        // A first try whose answer was lost may have written it; the second one then finds that.
        if (failure.attempts > 1 && content !== undefined) {
          const mine = await this.#headIfEqual(key, content);
          if (mine) return { etag: mine.etag };
        }
        throw conflict(this.#place(key), ifAbsent === true);
      }
    });
  }

  async #headIfEqual(key: string, content: Uint8Array): Promise<ObjectHead | undefined> {
    const head = await this.head(key);
    if (head?.bytes !== content.length) return undefined;
    return Buffer.compare(await this.get(key), content) === 0 ? head : undefined;
  }

  #checkConditions(): Promise<void> {
    this.#checked ??= this.#send('', ({ sdk, client }) => checkConditions(sdk, client, this.#location.bucket, this.#prefix)).catch(
      (error: unknown) => {
        this.#checked = undefined;
        throw error;
      },
    );
    return this.#checked;
  }

  /** Reads a range in order, and takes up again where an answer broke off, as long as the object is the same. */
  async #read(key: string, start: number, end: number | undefined, take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    let [position, etag, taken] = [start, undefined as string | undefined, false];
    for (let resumes = 0; ; resumes++) {
      const answer = await this.#open(key, position, end, etag);
      if (answer === undefined) return;
      etag ??= answer.ETag;
      const expected = position + (answer.ContentLength ?? 0);
      try {
        for await (const chunk of answer.Body as AsyncIterable<Uint8Array>) {
          taken = true;
          await take(chunk);
          position += chunk.length;
          taken = false;
        }
        if (position !== expected) throw new Error(`the body ended at byte ${position} of ${expected}: socket hang up`);
        return;
      } catch (error) {
        if (taken) throw error;
        if (resumes === RESUMES_MAX) throw toSublaceError(error, this.#place(key), endpointOf(this.#location, this.#env));
      }
    }
  }

  /** Undefined when the range starts beyond the object. */
  async #open(key: string, start: number, end: number | undefined, etag: string | undefined): Promise<GetObjectCommandOutput | undefined> {
    const object = this.#object(key);
    return this.#send(key, async ({ sdk, client }) => {
      const range = start === 0 && end === undefined ? {} : { Range: `bytes=${start}-${end === undefined ? '' : end - 1}` };
      try {
        return await client.send(new sdk.GetObjectCommand({ ...object, ...range, ...(etag !== undefined && { IfMatch: etag }) }));
      } catch (error) {
        const failure = failureOf(error);
        if (failure.status === 416) return undefined;
        if (etag !== undefined && isConflict(failure)) throw conflict(this.#place(key), false);
        if (isMissing(failure)) throw noObject(this.#place(key));
        throw error;
      }
    });
  }
}

function isKey(key: string): boolean {
  try {
    checkKey(key);
    return true;
  } catch {
    return false;
  }
}
