import { decodeAnswer, encodeRequest, type Tensor } from './binary-tensors.ts';
import type { Overview } from './overview.ts';
import { ServerError } from './server-error.ts';

/** One inference. */
export interface Inference {
  readonly model: string;
  readonly version: string;
  readonly input: Tensor;
  /** Names of the outputs wanted. */
  readonly outputs: readonly string[];
}

/** The server that this page came from. */
export interface ServerApi {
  /**
   * Everything that the page shows of models and traffic.
   *
   * @param sinceMs  Statistics of later seconds only, by the server's clock.
   * @param signal  Gives it up.
   */
  overview(sinceMs: number, signal: AbortSignal): Promise<Overview>;
  /** Output tensors by name. */
  infer(inference: Inference, signal: AbortSignal): Promise<Map<string, Tensor>>;
}

/**
 * The server that this page came from. Paths are relative, so that a proxy may serve it under any prefix.
 *
 * @param token  Sent with every call; empty for none.
 * @returns  Its calls; they throw ServerError.
 */
export function serverApi(token: string): ServerApi {
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (token) headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(path, { ...init, headers, cache: 'no-store', credentials: 'same-origin' }).catch((error: unknown) => {
      init.signal?.throwIfAborted();
      throw new ServerError(0, error instanceof Error ? error.message : String(error));
    });
    if (!response.ok) throw new ServerError(response.status, await reasonOf(response));
    return response;
  };
  return {
    overview: async (sinceMs, signal) => (await call(`sublace/v1/overview?since=${sinceMs}`, { signal })).json() as Promise<Overview>,
    infer: async ({ model, version, input, outputs }, signal) => {
      const { body, headerLength } = encodeRequest(input, outputs);
      const path = `v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}/infer`;
      const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(headerLength) };
      const response = await call(path, { method: 'POST', body, headers, signal });
      const answered = response.headers.get('inference-header-content-length');
      return decodeAnswer(await response.arrayBuffer(), answered === null ? null : Number(answered));
    },
  };
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return (JSON.parse(text) as { error?: string }).error ?? text;
  } catch {
    return text.slice(0, 300) || `HTTP ${response.status}`;
  }
}
