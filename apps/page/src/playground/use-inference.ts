import { useEffect, useRef, useState } from 'preact/hooks';
import type { FloatTensor } from '../server/server-api.ts';
import { LatestRequest } from '../server/latest-request.ts';
import type { ModelOverview } from '../server/overview.ts';
import type { ServerApi } from '../server/server-api.ts';
import { inWords } from '../server/server-error.ts';

/** What came of the newest question. The answer before stays until the next one is there. */
export interface InferenceState<K> {
  readonly outputs: ReadonlyMap<string, FloatTensor> | null;
  /** What was asked when `outputs` came. */
  readonly question: K | null;
  readonly error: string | null;
  /** From sending to answer, as seen here. */
  readonly seconds: number | null;
}

/** One question to a model. */
export interface Question<K> {
  /** Changes when the question does. */
  readonly key: K;
  /** [count, ...] row-major. */
  values(): Float32Array;
  readonly count: number;
  readonly outputs: readonly string[];
}

/**
 * Keeps the answer to a question that changes: asks when the key does, and gives up what is not wanted any more.
 *
 * @param api  The server.
 * @param model  Whom to ask.
 * @param question  What; null for nothing.
 * @param delayMs  How long a question must have stood before it is asked. Default 0.
 * @returns  The newest answer.
 */
export function useInference<K>(api: ServerApi, model: ModelOverview, question: Question<K> | null, delayMs = 0): InferenceState<K> {
  const [state, setState] = useState<InferenceState<K>>({ outputs: null, question: null, error: null, seconds: null });
  const requests = useRef<LatestRequest | null>(null);
  requests.current ??= new LatestRequest();
  useEffect(() => () => requests.current?.cancel(), []);
  useEffect(() => {
    if (!question) return;
    const ask = (): void => {
      const [{ name, shape }] = model.description!.inputs;
      const input = { name, shape: [question.count, ...shape.slice(1)], data: question.values() };
      const start = performance.now();
      requests.current!.submit(
        (signal) => api.infer({ model: model.name, version: model.version, input, outputs: question.outputs }, signal),
        (outputs) => setState({ outputs, question: question.key, error: null, seconds: (performance.now() - start) / 1000 }),
        (error) => setState((before) => ({ ...before, error: inWords(error) })),
      );
    };
    const timer = setTimeout(ask, delayMs);
    return () => clearTimeout(timer);
  }, [api, model.name, model.version, question?.key, delayMs]);
  return state;
}
