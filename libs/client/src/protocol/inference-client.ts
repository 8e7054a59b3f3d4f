import { SublaceClientError, unexpected } from '../client-error.ts';
import { HttpCaller, type CallOptions, type ClientOptions, type HttpAnswer, type HttpCall } from '../http/http-caller.ts';
import { newRequestId } from '../http/request-id.ts';
import type { Parameters } from '../tensors/tensor.ts';
import { readInferBody, writeInferBody, type InferRequest } from './infer-messages.ts';
import type { InferResult } from './infer-result.ts';
import {
  readModelMetadata,
  readRepositoryIndex,
  readServerMetadata,
  readStatistics,
  type ModelMetadata,
  type ModelStatistics,
  type RepositoryEntry,
  type ServerMetadata,
} from './metadata.ts';

/** A version of a model, and how to ask. */
export interface VersionOptions extends CallOptions {
  /** Version or label. Default: the version that the server has in force. */
  readonly version?: string;
}

/** Client of any server of the Open Inference Protocol v2, by REST. Safe to share; it keeps no connection of its own. */
export class InferenceClient {
  readonly #caller: HttpCaller;

  /**
   * @param baseUrl  `http://host:port`, without `/v2`. Empty in a browser: the server that the page came from.
   * @param options  Token, deadline, retries.
   * @throws SublaceClientError INVALID_ARGUMENT for options that make no sense.
   */
  constructor(baseUrl: string, options: ClientOptions = {}) {
    this.#caller = new HttpCaller(baseUrl, options);
  }

  /**
   * Whether the server is up.
   *
   * @param options  Deadline, signal.
   * @returns  False for 503.
   * @throws SublaceClientError UNAVAILABLE when nobody answers.
   */
  async serverLive(options: CallOptions = {}): Promise<boolean> {
    return this.#isYes('/v2/health/live', [503], options);
  }

  /**
   * Whether every model of the server may be asked.
   *
   * @param options  Deadline, signal.
   * @returns  False while models warm up and while the server drains.
   * @throws SublaceClientError UNAVAILABLE when nobody answers.
   */
  async serverReady(options: CallOptions = {}): Promise<boolean> {
    return this.#isYes('/v2/health/ready', [503], options);
  }

  /**
   * Whether a model may be asked.
   *
   * @param model  Its name.
   * @param options  Version, deadline, signal.
   * @returns  False while it warms up, and when there is no such model or version.
   * @throws SublaceClientError UNAVAILABLE when nobody answers.
   */
  async modelReady(model: string, options: VersionOptions = {}): Promise<boolean> {
    return this.#isYes(`${pathOf(model, options.version)}/ready`, [400, 404, 503], options, model);
  }

  /**
   * What the server says of itself.
   *
   * @param options  Deadline, signal.
   * @returns  Name, version, extensions.
   * @throws SublaceClientError.
   */
  async serverMetadata(options: CallOptions = {}): Promise<ServerMetadata> {
    return readServerMetadata(await this.#json({ method: 'GET', path: '/v2', isRetryable: true }, options));
  }

  /**
   * What the server says of a model.
   *
   * @param model  Its name.
   * @param options  Version, deadline, signal.
   * @returns  Inputs, outputs, properties.
   * @throws SublaceClientError.
   */
  async modelMetadata(model: string, options: VersionOptions = {}): Promise<ModelMetadata> {
    return readModelMetadata(await this.#json({ method: 'GET', path: pathOf(model, options.version), model, isRetryable: true }, options));
  }

  /**
   * Asks a model.
   *
   * @param model  Its name.
   * @param request  Inputs, wanted outputs, knobs.
   * @param options  Deadline, signal.
   * @returns  The outputs.
   * @throws SublaceClientError.
   */
  async infer(model: string, request: InferRequest, options: CallOptions = {}): Promise<InferResult> {
    const requestId = request.id ?? newRequestId();
    const details = { model, requestId };
    try {
      const path = `${pathOf(model, request.version)}/infer`;
      const answer = await this.#caller.call(
        { method: 'POST', path, ...writeInferBody(request, requestId), requestId, model, isRetryable: true },
        options,
      );
      const result = readInferBody(answer.body, answer.headers);
      if (result.id !== '' && result.id !== requestId) throw unexpected(`answer: expected id '${requestId}', got '${result.id}'`);
      return result;
    } catch (error) {
      throw withDetails(error, details);
    }
  }

  /**
   * The versions in the server's repository.
   *
   * @param options  `ready`: only those that may be asked.
   * @returns  One entry for each version.
   * @throws SublaceClientError UNIMPLEMENTED or NOT_FOUND from a server without a repository.
   */
  async repositoryIndex(options: CallOptions & { readonly ready?: boolean } = {}): Promise<RepositoryEntry[]> {
    const { ready = false } = options;
    const call = { method: 'POST', path: '/v2/repository/index', ...jsonBody({ ready }), isRetryable: true } as const;
    return readRepositoryIndex(await this.#json(call, options));
  }

  /**
   * Loads a model of the repository, or loads it again. Never tried a second time: the first may be under way.
   *
   * @param model  Its name.
   * @param options  Parameters as the server defines them.
   * @throws SublaceClientError.
   */
  async loadModel(model: string, options: CallOptions & { readonly parameters?: Parameters } = {}): Promise<void> {
    await this.#repositoryCall(model, 'load', options);
  }

  /**
   * Takes a model off the server.
   *
   * @param model  Its name.
   * @param options  Parameters as the server defines them.
   * @throws SublaceClientError.
   */
  async unloadModel(model: string, options: CallOptions & { readonly parameters?: Parameters } = {}): Promise<void> {
    await this.#repositoryCall(model, 'unload', options);
  }

  /**
   * What has been answered since the server started.
   *
   * @param model  Name of one model. Default: all of them.
   * @param options  Version, deadline, signal.
   * @returns  One for each version.
   * @throws SublaceClientError.
   */
  async modelStatistics(model?: string, options: VersionOptions = {}): Promise<ModelStatistics[]> {
    const path = `${model === undefined ? '/v2/models' : pathOf(model, options.version)}/stats`;
    return readStatistics(await this.#json({ method: 'GET', path, ...(model !== undefined && { model }), isRetryable: true }, options));
  }

  async #repositoryCall(
    model: string,
    verb: 'load' | 'unload',
    { parameters = {}, ...options }: CallOptions & { parameters?: Parameters },
  ): Promise<void> {
    const path = `/v2/repository/models/${encodeURIComponent(model)}/${verb}`;
    await this.#caller.call({ method: 'POST', path, ...jsonBody({ parameters }), model, isRetryable: false }, options);
  }

  /** A question whose answer is yes or no; no is an answer and so not tried again. */
  async #isYes(path: string, noes: readonly number[], options: CallOptions, model?: string): Promise<boolean> {
    const call = { method: 'GET', path, isRetryable: false, alsoExpected: noes, ...(model !== undefined && { model }) } as const;
    const { status, body } = await this.#caller.call(call, options);
    if (status >= 300) return false;
    // The protocol's text has yes and no in the body, Triton only in the status.
    const said = tryParse(body) as { live?: unknown; ready?: unknown } | null | undefined;
    return (said?.live ?? said?.ready) !== false;
  }

  async #json(call: HttpCall, options: CallOptions): Promise<unknown> {
    const answer: HttpAnswer = await this.#caller.call(call, options);
    const value = tryParse(answer.body);
    if (value === undefined)
      throw unexpected(`${call.method} ${call.path}: expected JSON, got ${answer.body.length} bytes that are not`, {
        status: answer.status,
        model: call.model,
      });
    return value;
  }
}

function pathOf(model: string, version = ''): string {
  return `/v2/models/${encodeURIComponent(model)}${version === '' ? '' : `/versions/${encodeURIComponent(version)}`}`;
}

function jsonBody(value: unknown): Pick<HttpCall, 'body' | 'headers'> & { body: Uint8Array<ArrayBuffer> } {
  return { body: new TextEncoder().encode(JSON.stringify(value)), headers: { 'content-type': 'application/json' } };
}

function tryParse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

/** Errors that arose while a request was written or an answer read do not know the call. */
function withDetails(error: unknown, details: { model: string; requestId: string }): unknown {
  if (!(error instanceof SublaceClientError) || error.requestId !== undefined) return error;
  return new SublaceClientError(error.code, error.message, { ...details, cause: error.cause });
}
