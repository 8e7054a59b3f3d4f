import { InferenceClient, SublaceClientError, type Tensor } from '@sublace/client';
import type { Overview } from './overview.ts';
import { ServerError } from './server-error.ts';

/** A tensor of 32-bit floats, row-major. */
export type FloatTensor = Pick<Tensor<'FP32'>, 'name' | 'shape' | 'data'>;

/** One inference. */
export interface Inference {
  readonly model: string;
  readonly version: string;
  readonly input: FloatTensor;
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
  infer(inference: Inference, signal: AbortSignal): Promise<Map<string, FloatTensor>>;
}

/**
 * The server that this page came from, also where a proxy serves it under a path.
 *
 * @param token  Sent with every call; empty for none.
 * @returns  Its calls; they throw ServerError.
 */
export function serverApi(token: string): ServerApi {
  const base = new URL('.', location.href).href;
  // A person who watches asks again sooner than a retry would.
  const client = new InferenceClient(base, { ...(token && { token }), retry: { attempts: 1 } });
  return {
    overview: async (sinceMs, signal) => {
      const headers = { ...(token && { authorization: `Bearer ${token}` }) };
      const response = await fetch(`${base}sublace/v1/overview?since=${sinceMs}`, { headers, signal, cache: 'no-store' }).catch(
        (error: unknown) => {
          signal.throwIfAborted();
          throw new ServerError(0, String(error));
        },
      );
      if (!response.ok) throw new ServerError(response.status, await reasonOf(response));
      return (await response.json()) as Overview;
    },
    infer: async ({ model, version, input, outputs }, signal) => {
      const result = await client.infer(model, { version, inputs: [input], outputs }, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error instanceof SublaceClientError ? new ServerError(error.status ?? 0, error.message) : error;
      });
      return new Map(outputs.map((name) => [name, result.output(name, 'FP32')]));
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
