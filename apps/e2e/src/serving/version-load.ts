import { Agent, request } from 'node:http';
import { openInferenceClient, type ModelInferResponse } from '@sublace/protocol/inference';
import type { ServingProcess } from './serving-process.ts';

/** What a version answers: `mean` and `variance` of each of the inputs. */
export interface ExpectedAnswers {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/** One answer as a client has read it. */
export interface ClientAnswer {
  readonly version: string;
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/** Inputs that are asked about: inside the data and far from them. */
export const inputs = Array.from({ length: 16 }, (_, i) => Math.fround((i - 8) * 0.75));

/**
 * Largest difference from the answer of the version alone, relative to the largest answer. A batch is one product of matrices, whose float32 sums depend on
 * how many rows there are.
 */
export const TOLERANCE = 1e-5;

/** Asks by one protocol. */
export interface InferenceCaller {
  ask(version: string, values: readonly number[]): Promise<ClientAnswer>;
  close(): void;
}

/**
 * A client over REST that keeps its connection.
 *
 * @param server  Whom to ask.
 * @param model  About what.
 * @returns  The client.
 */
export function restCaller({ url }: ServingProcess, model: string): InferenceCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (version: string, values: readonly number[]): Promise<ClientAnswer> => {
    const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [values.length, 1], data: values }] });
    const path = `/v2/models/${model}${version === '' ? '' : `/versions/${version}`}/infer`;
    const text = await new Promise<string>((resolve, reject) => {
      const call = request(`${url}${path}`, { method: 'POST', agent }, (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        response.on('end', () =>
          response.statusCode === 200 ? resolve(received) : reject(new Error(`${response.statusCode}: ${received}`)),
        );
      });
      call.on('error', reject).end(body);
    });
    const answer = JSON.parse(text) as { model_version: string; outputs: { name: string; data: number[] }[] };
    const data = (name: string): number[] => answer.outputs.find((output) => output.name === name)!.data.map(Math.fround);
    return { version: answer.model_version, mean: data('mean'), variance: data('variance') };
  };
  return { ask, close: () => agent.destroy() };
}

/**
 * A client over gRPC.
 *
 * @param server  Whom to ask.
 * @param model  About what.
 * @returns  The client.
 */
export function grpcCaller({ grpcAddress }: ServingProcess, model: string): InferenceCaller {
  const client = openInferenceClient(grpcAddress);
  const ask = async (version: string, values: readonly number[]): Promise<ClientAnswer> => {
    const message = {
      modelName: model,
      modelVersion: version,
      inputs: [{ name: 'input', datatype: 'FP32', shape: [values.length, 1] }],
      rawInputContents: [Buffer.from(Float32Array.from(values).buffer)],
    };
    const answer = await new Promise<ModelInferResponse>((resolve, reject) =>
      client.ModelInfer(message, (error, response) => (error ? reject(error) : resolve(response!))),
    );
    const data = (name: string): number[] => {
      const bytes = answer.rawOutputContents[answer.outputs.findIndex((output) => output.name === name)];
      return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
    };
    return { version: answer.modelVersion, mean: data('mean'), variance: data('variance') };
  };
  return { ask, close: () => client.close() };
}

/** Clients that ask without a pause, and check every answer against what the version that it names answers alone. */
export class VersionLoad {
  /** Answers of each version. */
  readonly counts: Record<string, number> = {};
  /** Answers that had every bit of that of the version alone. */
  exactCount = 0;
  /** Requests that were not answered, and answers that are those of no version: the first few of them. */
  readonly failures: string[] = [];
  readonly #expected: ReadonlyMap<string, ExpectedAnswers>;
  readonly #callers: InferenceCaller[];
  readonly #running: Promise<void>[];
  readonly #latest: string[];
  #isStopped = false;

  /**
   * Begins at once.
   *
   * @param server  Whom to ask.
   * @param model  About what.
   * @param expected  What each version answers for all inputs.
   * @param clientCount  How many of each protocol.
   */
  constructor(server: ServingProcess, model: string, expected: ReadonlyMap<string, ExpectedAnswers>, clientCount: number) {
    this.#expected = expected;
    this.#callers = Array.from({ length: clientCount }, () => [restCaller(server, model), grpcCaller(server, model)]).flat();
    this.#latest = this.#callers.map(() => '');
    this.#running = this.#callers.map((caller, index) => this.#run(caller, index));
  }

  /** Answers so far. */
  get count(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /**
   * Whether every client's last answer is that of a version.
   *
   * @param version  Its number.
   * @returns  See above.
   */
  isAt(version: string): boolean {
    return this.#latest.every((latest) => latest === version);
  }

  /** Ends, once what is under way has been answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
    for (const caller of this.#callers) caller.close();
  }

  async #run(caller: InferenceCaller, index: number): Promise<void> {
    for (let i = 0; !this.#isStopped; i++) {
      const start = (i + index) % inputs.length;
      const values = inputs.slice(start, start + 1 + (i % 5));
      try {
        const answer = await caller.ask('', values);
        this.counts[answer.version] = (this.counts[answer.version] ?? 0) + 1;
        this.#latest[index] = answer.version;
        this.#check(answer, start, values.length);
      } catch (error) {
        this.#fail(`client ${index}: ${(error as Error).message}`);
      }
    }
  }

  #check(answer: ClientAnswer, start: number, count: number): void {
    const expected = this.#expected.get(answer.version);
    if (!expected) {
      this.#fail(`an answer of version '${answer.version}'`);
      return;
    }
    let isExact = true;
    for (const name of ['mean', 'variance'] as const) {
      const scale = Math.max(...expected[name].map(Math.abs));
      const wanted = expected[name].slice(start, start + count);
      const differences = wanted.map((value, i) => Math.abs(value - answer[name][i]) / scale);
      isExact &&= differences.every((difference) => difference === 0);
      if (answer[name].length !== count || !differences.every((difference) => difference <= TOLERANCE))
        this.#fail(`version ${answer.version}, ${name}: expected ${wanted.join()}, got ${answer[name].join()}`);
    }
    if (isExact) this.exactCount += 1;
  }

  #fail(message: string): void {
    if (this.failures.length < 10) this.failures.push(message);
  }
}
