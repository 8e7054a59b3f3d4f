import { codeOfStatus, invalid, SublaceClientError } from '../client-error.ts';
import { compressBody, type BodyCoding } from './compress-body.ts';
import { CallScope } from './call-scope.ts';
import { newRequestId } from './request-id.ts';
import { defaultRetryPolicy, delayBefore, readRetryAfter, type RetryPolicy } from './retry-policy.ts';

/** How a client talks to its server. */
export interface ClientOptions {
  /** Sent as `Authorization: Bearer TOKEN`; a function is asked before every attempt. */
  readonly token?: string | (() => string | Promise<string>);
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What sends requests. Default: the global fetch. */
  readonly fetch?: typeof fetch;
  /** Longest time of one call with all its attempts, milliseconds; 0 waits for ever. Default 60,000. */
  readonly timeoutMs?: number;
  /** When to try again; what is not named keeps its default. */
  readonly retry?: Partial<RetryPolicy>;
  /** Coding of request bodies of a KiB and more, where the engine has CompressionStream. Default: none. */
  readonly compression?: BodyCoding;
}

/** Of one call; each overrides what the client was given. */
export interface CallOptions {
  /** Ends the call with CANCELLED; the server drops it too. */
  readonly signal?: AbortSignal;
  /** Longest time of this call with all its attempts, milliseconds; 0 waits for ever. */
  readonly timeoutMs?: number;
}

/** One call. */
export interface HttpCall {
  readonly method: 'GET' | 'POST';
  /** After the base URL, beginning with `/`; names in it are already encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Sent as X-Request-Id. Default: a new one. */
  readonly requestId?: string;
  /** The model it is about, for errors. */
  readonly model?: string;
  /** Whether it may be made again after a 503 or 429. */
  readonly isRetryable: boolean;
  /** Statuses that are answers beside 2xx. */
  readonly alsoExpected?: readonly number[];
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Makes calls: token, deadline, cancellation, retries, and one kind of error. */
export class HttpCaller {
  readonly #baseUrl: string;
  readonly #options: ClientOptions;
  readonly #retry: RetryPolicy;

  /**
   * @param baseUrl  Without `/v2`; a path in it is kept. Empty in a browser: the page's own server.
   * @param options  See {@link ClientOptions}.
   * @throws SublaceClientError INVALID_ARGUMENT for options that make no sense.
   */
  constructor(baseUrl: string, options: ClientOptions) {
    const { timeoutMs = 0, retry = {} } = options;
    this.#retry = { ...defaultRetryPolicy, ...retry };
    for (const [name, value] of Object.entries({ timeoutMs, ...this.#retry })) checkNumber(name, value);
    this.#baseUrl = checkBaseUrl(baseUrl);
    this.#options = options;
  }

  /**
   * One call with all its attempts.
   *
   * @param call  What to send.
   * @param options  Of this call.
   * @returns  A 2xx, or one of the statuses that the call expects beside.
   * @throws SublaceClientError for everything else.
   */
  async call(call: HttpCall, options: CallOptions): Promise<HttpAnswer> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? 60_000;
    checkNumber('timeoutMs', timeoutMs);
    const requestId = call.requestId ?? newRequestId();
    const scope = new CallScope(timeoutMs, options.signal);
    let attempts = 0;
    try {
      const compressed = call.body && (await compressBody(call.body, this.#options.compression));
      const headers = {
        ...this.#options.headers,
        ...call.headers,
        'x-request-id': requestId,
        ...(compressed?.coding && { 'content-encoding': compressed.coding }),
      };
      for (;;) {
        scope.check();
        attempts += 1;
        const answer = await this.#attempt(call, headers, compressed?.body, scope.signal);
        const isExpected = (answer.status >= 200 && answer.status < 300) || call.alsoExpected?.includes(answer.status);
        if (isExpected) return answer;
        const failure = failureOf(answer, { model: call.model, requestId, attempts });
        const isWorthwhile = call.isRetryable && (answer.status === 503 || answer.status === 429) && attempts < this.#retry.attempts;
        if (!isWorthwhile) throw failure;
        const delayMs = delayBefore(attempts, this.#retry, failure.retryAfterMs, Math.random());
        if (delayMs >= scope.remainingMs) throw failure; // the server's own words say more than a deadline that is sure to pass
        await scope.wait(delayMs);
      }
    } catch (error) {
      throw scope.explain(error, { model: call.model, requestId, attempts }, `${call.method} ${this.#baseUrl}${call.path}`);
    } finally {
      scope.end();
    }
  }

  async #attempt(
    { method, path }: HttpCall,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array<ArrayBuffer> | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { token, fetch: send = fetch } = this.#options;
    const given = typeof token === 'function' ? await token() : token;
    // Fetch would fail as if nobody had answered, with the token in its message.
    if (given !== undefined && !/^[\x21-\x7e]+$/.test(given))
      throw invalid('token: expected printable ASCII without spaces, got something else');
    const authorization = given === undefined ? {} : { authorization: `Bearer ${given}` };
    const init = { method, headers: { ...headers, ...authorization }, ...(body && { body }), signal };
    const response = await send(`${this.#baseUrl}${path}`, init);
    return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
  }
}

/** Without slashes at its end. */
function checkBaseUrl(baseUrl: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  const isAbsolute = /^https?:\/\/[^/]/i.test(trimmed);
  if (!isAbsolute && !(typeof location !== 'undefined' && /^(\/[^/]|$)/.test(trimmed))) {
    throw invalid(`base URL: expected http://HOST:PORT or https://HOST:PORT, got '${baseUrl}'`);
  }
  if (trimmed.endsWith('/v2')) throw invalid(`base URL: expected the address of the server without /v2, got '${baseUrl}'`);
  return trimmed;
}

/** NaN and what is not a number fail as well. */
function checkNumber(name: string, value: number): void {
  if (!(value >= 0)) throw invalid(`${name}: expected a number of 0 or more, got ${value}`);
}

const utf8 = new TextDecoder();

/** The error that an answer tells: the server's own message, or the beginning of whatever a proxy put in its place. */
function failureOf(
  { status, headers, body }: HttpAnswer,
  details: { model: string | undefined; requestId: string; attempts: number },
): SublaceClientError {
  const text = utf8.decode(body.subarray(0, 65_536));
  const retryAfterMs = readRetryAfter(headers.get('retry-after'), Date.now());
  return new SublaceClientError(codeOfStatus(status), messageOf(text) ?? `HTTP ${status}: ${text.trim().slice(0, 200) || 'no message'}`, {
    ...details,
    status,
    retryAfterMs,
  });
}

function messageOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' && error !== '' ? error : undefined;
  } catch {
    return undefined;
  }
}
