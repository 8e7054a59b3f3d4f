import { SublaceError } from '@sublace/errors';
import { roleEntry } from '../processes/roles.ts';
import { startProcess } from '../processes/start-process.ts';
import type { DemoImage } from './choose-pair.ts';

/** An image, and what the served posterior answered. */
export interface Question {
  readonly image: DemoImage;
  readonly mapProbabilities: readonly number[];
  readonly probabilities: readonly number[];
  /** Of the predictive, nats. */
  readonly entropy: number;
  /** Largest variance of a logit. */
  readonly logitVariance: number;
}

/** The part of an answer that is read. */
interface InferResponse {
  readonly error?: string;
  readonly outputs?: readonly { readonly name: string; readonly data: readonly number[] }[];
}

/**
 * Serves a posterior in a process of its own and asks it, over the Open Inference Protocol, about some images.
 *
 * @param posterior  Folder of the posterior.
 * @param images  What to ask about.
 * @returns  Images and answers.
 * @throws {SublaceError} when the server does not start or refuses the request.
 */
export async function askServer(posterior: string, images: readonly DemoImage[]): Promise<Question[]> {
  const args = ['--posterior', posterior, '--name', 'demo', '--http-port', '0', '--grpc-port', '0'];
  const server = await startProcess({ name: 'server', entry: roleEntry('serving'), args });
  try {
    const [{ inputShape }] = images;
    const response = await fetch(`http://127.0.0.1:${String(server.ready['httpPort'])}/v2/models/demo/infer`, {
      method: 'POST',
      body: JSON.stringify({
        inputs: [
          { name: 'input', datatype: 'FP32', shape: [images.length, ...inputShape], data: images.flatMap(({ pixels }) => [...pixels]) },
        ],
        outputs: ['probabilities', 'map_probabilities', 'entropy', 'logit_variance'].map((name) => ({ name })),
      }),
    });
    const answer = (await response.json()) as InferResponse;
    if (!response.ok || !answer.outputs)
      throw new SublaceError('UNAVAILABLE', `server: expected an answer, got ${response.status}: ${answer.error ?? ''}`);
    const rows = (name: string, n: number): readonly number[] => {
      const data = answer.outputs?.find((output) => output.name === name)?.data ?? [];
      const width = data.length / images.length;
      return data.slice(n * width, (n + 1) * width);
    };
    return images.map((image, n) => ({
      image,
      mapProbabilities: rows('map_probabilities', n),
      probabilities: rows('probabilities', n),
      entropy: rows('entropy', n)[0],
      logitVariance: Math.max(...rows('logit_variance', n)),
    }));
  } finally {
    await server.stop();
  }
}
