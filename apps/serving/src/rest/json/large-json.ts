import { Worker } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import { answersToMove } from '../../compute/thread-memory.ts';
import type { InferResponse } from '../../inference/infer-request.ts';
import { writeInferAnswer, type RestAnswer } from '../infer-answer.ts';
import { isBinary, jsonLengthOf, readInferBody, type BinaryOutputs, type BodyTarget, type RestInferRequest } from '../infer-body.ts';
import type { JsonCall, JsonReply } from './json-messages.ts';

/** Bytes of JSON from which the thread reads a body: some 5 ms, in which the main thread answers nobody else. Crossing takes 0.1 ms. */
const LARGE_BYTES = 2 ** 18;

/** Numbers from which the thread writes an answer: some 5 ms too. */
const LARGE_NUMBERS = 2 ** 14;

/** The thread ends when it has had nothing to do for so long, ms: what it parsed is gone from memory then. */
const IDLE_MS = 60_000;

/** A call without its id, which is given when it is sent. */
type NewCall = JsonCall extends infer C ? (C extends JsonCall ? Omit<C, 'id'> : never) : never;

interface OpenCall {
  readonly resolve: (reply: Exclude<JsonReply, { type: 'failed' }>) => void;
  readonly reject: (error: SublaceError) => void;
}

/** True when these are the sources that Node runs as they are, false in the bundle. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/**
 * Reads bodies and writes answers of inference: small ones at once, those with much JSON in a thread of their own, one after the other, so that health checks and everybody else are
 * answered meanwhile. The thread starts with the first of them.
 */
export class LargeJson {
  readonly #open = new Map<number, OpenCall>();
  #thread: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isClosed = false;

  /**
   * {@link readInferBody}, in the thread where the JSON is large.
   *
   * @param body  Without content coding; gone afterwards where it is large.
   * @param headerLength  The Inference-Header-Content-Length header, if any.
   * @param target  Model name and version from the path, and what the model takes.
   * @returns  The request.
   * @throws SublaceError INVALID_ARGUMENT for a body that is not of this form; in the thread also what `readInput` throws for its tensors; RESOURCE_EXHAUSTED for one that does not fit in memory.
   */
  async read(body: Buffer, headerLength: string | undefined, target: BodyTarget): Promise<RestInferRequest> {
    if (jsonLengthOf(body, headerLength) < LARGE_BYTES) return readInferBody(body, headerLength, target);
    const own = body.byteLength === body.buffer.byteLength ? body : new Uint8Array(body);
    const reply = await this.#ask({ type: 'read', body: own, headerLength, target }, [own.buffer as ArrayBuffer]);
    return (reply as Extract<JsonReply, { type: 'read' }>).request;
  }

  /**
   * {@link writeInferAnswer}, in the thread where many numbers become JSON.
   *
   * @param response  The answer; its tensors are gone afterwards where they are large.
   * @param binary  Which outputs travel as binary.
   * @returns  Body and headers.
   * @throws SublaceError RESOURCE_EXHAUSTED for one that no string holds.
   */
  async write(response: InferResponse, binary: BinaryOutputs): Promise<RestAnswer> {
    const numbers = response.outputs.reduce((sum, { name, data }) => sum + (isBinary(binary, name) ? 0 : data.length), 0);
    if (numbers < LARGE_NUMBERS) return writeInferAnswer(response, binary);
    const { moved, memory } = answersToMove([{ outputs: response.outputs }]);
    const outputs = 'error' in moved[0] ? [] : moved[0].outputs;
    const reply = await this.#ask({ type: 'write', response: { ...response, outputs }, binary }, memory);
    const { answer } = reply as Extract<JsonReply, { type: 'written' }>;
    const { buffer, byteOffset, byteLength } = answer.body;
    return { ...answer, body: Buffer.from(buffer, byteOffset, byteLength) };
  }

  /** Ends the thread; what it has not answered fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end(new SublaceError('UNAVAILABLE', 'expected a server that stays, got one that has stopped; try another'));
  }

  #ask(call: NewCall, memory: ArrayBuffer[]): Promise<Exclude<JsonReply, { type: 'failed' }>> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new SublaceError('UNAVAILABLE', 'expected a server that stays, got one that has stopped; try another');
      clearTimeout(this.#idle);
      this.#thread ??= this.#start();
      const id = this.#nextId++;
      this.#thread.postMessage({ ...call, id }, memory);
      this.#open.set(id, { resolve, reject });
    });
  }

  #start(): Worker {
    const thread = new Worker(new URL(`./json-thread.${extension}`, import.meta.url));
    thread.unref();
    thread.on('message', (reply: JsonReply) => {
      const call = this.#open.get(reply.id);
      this.#open.delete(reply.id);
      if (this.#open.size === 0) this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref();
      if (reply.type === 'failed') call?.reject(new SublaceError(reply.error.code, reply.error.message));
      else call?.resolve(reply);
    });
    // Whatever ends it, the next large body starts another.
    const lost = (error: SublaceError): void => {
      if (this.#thread === thread) void this.#end(error);
    };
    thread.once('error', (error: NodeJS.ErrnoException) => {
      const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      lost(
        isFull
          ? new SublaceError('RESOURCE_EXHAUSTED', 'expected JSON that fits in memory, got more; send and ask for binary_data')
          : new SublaceError('INTERNAL', `JSON thread: ${error.message}`, { cause: error }),
      );
    });
    thread.once('exit', (status) => lost(new SublaceError('INTERNAL', `JSON thread: expected it to stay, got exit code ${status}`)));
    return thread;
  }

  async #end(error?: SublaceError): Promise<void> {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    this.#thread = undefined;
    if (error) for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
    await thread?.terminate();
  }
}
