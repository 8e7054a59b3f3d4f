import { SublaceError } from '@sublace/errors';
import type { Call, Reply } from './compute-messages.ts';

/** A call without its id, which is given when it is sent. */
export type NewCall = Call extends infer C ? (C extends Call ? Omit<C, 'id'> : never) : never;

type ReplyOf<T extends Reply['type']> = Extract<Reply, { type: T }>;

interface OpenCall {
  readonly type: Call['type'];
  readonly sent: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: SublaceError) => void;
}

/** Calls to a thread that wait for their replies. */
export class ThreadCalls {
  readonly #post: (call: Call, memory: ArrayBuffer[]) => void;
  readonly #open = new Map<number, OpenCall>();
  #nextId = 1;
  #lastReply = 0;
  #gone: SublaceError | undefined;

  /**
   * @param post  Sends one to the thread.
   */
  constructor(post: (call: Call, memory: ArrayBuffer[]) => void) {
    this.#post = post;
  }

  /**
   * Calls the thread.
   *
   * @param call  What to do.
   * @param memory  Memory that moves to the thread.
   * @returns  Its reply.
   * @throws SublaceError of the thread; that of `end` once the thread is gone.
   */
  ask<T extends Reply['type']>(call: NewCall, memory: ArrayBuffer[] = []): Promise<ReplyOf<T>> {
    return new Promise((resolve, reject) => {
      if (this.#gone) throw this.#gone;
      const id = this.#nextId++;
      this.#post({ ...call, id }, memory);
      this.#open.set(id, { type: call.type, sent: performance.now(), resolve: resolve as OpenCall['resolve'], reject });
    });
  }

  /**
   * A reply came.
   *
   * @param reply  With the id of its call.
   */
  reply(reply: Extract<Reply, { id: number }>): void {
    this.#lastReply = performance.now();
    const call = this.#open.get(reply.id);
    this.#open.delete(reply.id);
    if (reply.type === 'failed') call?.reject(new SublaceError(reply.error.code, reply.error.message));
    else call?.resolve(reply);
  }

  /**
   * The thread is gone: nothing that waits, or is still asked, will be answered.
   *
   * @param error  Why.
   */
  end(error: SublaceError): void {
    this.#gone ??= error;
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }

  /** For how long an inference has waited without any reply, milliseconds. 0 while a model is loaded: a large one takes as long as it takes. */
  get silence(): number {
    const open = [...this.#open.values()];
    const inferences = open.filter(({ type }) => type === 'infer');
    if (inferences.length === 0 || open.some(({ type }) => type === 'load')) return 0;
    return performance.now() - Math.max(this.#lastReply, Math.min(...inferences.map(({ sent }) => sent)));
  }
}
