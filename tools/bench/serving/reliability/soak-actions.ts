import { gzipSync } from 'node:zlib';
import type { Random } from '@sublace/data';
import { openInferenceClient, type GRPCInferenceServiceClient } from '@sublace/protocol/inference';
import { status, type ServiceError } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';

/** Who is soaked. */
export interface SoakSubject {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly inputShape: readonly number[];
  /** Names of all outputs of the model `bench`. */
  readonly outputs: readonly string[];
}

/** One thing that a client does. Resolves to null, or to what was wrong with the answer. */
export interface SoakAction {
  (): Promise<string | null>;
  close?(): void;
}

/** More examples than this are not asked for at once: some outputs grow with their square. */
const EXAMPLES_MAX = 4;

/**
 * What clients do.
 *
 * @param subject  The server.
 * @param random  Decides inputs, outputs and moments.
 * @returns  Actions by name.
 */
export function soakActions(subject: SoakSubject, random: Random): Record<string, SoakAction> {
  const { httpPort, grpcPort, inputShape, outputs } = subject;
  const base = `http://127.0.0.1:${httpPort}`;
  const infer = `${base}/v2/models/bench/infer`;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.uniform() * values.length)];
  const someOutputs = (): string[] => outputs.filter(() => random.uniform() < 0.3);
  const someInput = (): { shape: number[]; values: Float32Array } => {
    const shape = [1 + Math.floor(random.uniform() * EXAMPLES_MAX), ...inputShape];
    const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => 255 * random.uniform());
    return { shape, values };
  };
  const jsonBody = (): string => {
    const { shape, values } = someInput();
    const input = { name: 'input', datatype: 'FP32', shape, data: Array.from(values) };
    return JSON.stringify({ inputs: [input], outputs: someOutputs().map((name) => ({ name })) });
  };
  const post = (body: string | Buffer, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(infer, { method: 'POST', body: body as string, headers, ...(signal && { signal }) });

  let client = openInferenceClient(`127.0.0.1:${grpcPort}`);
  const grpcInfer = (giveUpMs?: number): Promise<string | null> => {
    const { shape, values } = someInput();
    const asked = someOutputs();
    return callOf(client, { shape, values, outputs: asked }, giveUpMs);
  };

  const actions: Record<string, SoakAction> = {
    'REST JSON': async () => expectJson(await post(jsonBody())),
    'REST gzip': async () => expectJson(await post(gzipSync(jsonBody()), { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' })),
    'REST binary': async () => {
      const { shape, values } = someInput();
      const input = { name: 'input', datatype: 'FP32', shape, parameters: { binary_data_size: values.byteLength } };
      const json = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
      const response = await post(Buffer.concat([json, Buffer.from(values.buffer)]), {
        'inference-header-content-length': String(json.length),
      });
      const body = await response.arrayBuffer();
      return response.status === 200 && body.byteLength > 0 ? null : `expected 200, got ${response.status}`;
    },
    'REST on a new connection': async () => expectJson(await post(jsonBody(), { connection: 'close' })),
    'REST given up': async () => {
      const gone = new AbortController();
      void sleep(8 * random.uniform()).then(() => gone.abort());
      return post(jsonBody(), {}, gone.signal)
        .then(expectJson)
        .catch((error: unknown) => (gone.signal.aborted ? null : String(error)));
    },
    'REST wrong': async () => expectRefusal(await post(pick(wrongBodies(inputShape)))),
    'REST of nothing': async () =>
      expectRefusal(await fetch(pick([`${base}/v2/models/none/infer`, `${base}/none`]), { method: 'POST', body: '{}' })),
    'REST metadata': async () => expectJson(await fetch(pick([`${base}/v2`, `${base}/v2/models/bench`, `${base}/v2/health/ready`]))),
    gRPC: () => grpcInfer(),
    'gRPC given up': () => grpcInfer(8 * random.uniform()),
    'gRPC wrong': () =>
      callOf(client, { shape: [1, ...inputShape], values: new Float32Array(3), outputs: [] }).then((problem) =>
        problem?.includes('INVALID_ARGUMENT') ? null : `expected INVALID_ARGUMENT, got ${problem ?? 'an answer'}`,
      ),
    'gRPC on a new connection': async () => {
      client.close();
      client = openInferenceClient(`127.0.0.1:${grpcPort}`);
      return grpcInfer();
    },
  };
  actions['gRPC'].close = () => client.close();
  return actions;
}

function wrongBodies(inputShape: readonly number[]): string[] {
  const input = { name: 'input', datatype: 'FP32', shape: [1, ...inputShape], data: [1, 2, 3] };
  const bodyOf = (fields: object): string => JSON.stringify({ inputs: [{ ...input, ...fields }] });
  return [
    '',
    '{',
    '[]',
    bodyOf({}),
    bodyOf({ shape: [2 ** 40, ...inputShape] }),
    bodyOf({ shape: [-1] }),
    bodyOf({ datatype: 'FP128' }),
    bodyOf({ name: '../input' }),
    bodyOf({ data: 'text' }),
    '['.repeat(10_000),
  ];
}

async function expectJson(response: Response): Promise<string | null> {
  const body = await response.text();
  if (response.status !== 200) return `expected 200, got ${response.status}: ${body.slice(0, 200)}`;
  JSON.parse(body);
  return null;
}

async function expectRefusal(response: Response): Promise<string | null> {
  const body = await response.text();
  const isRefusal = response.status >= 400 && response.status < 500 && body.includes('error');
  return isRefusal ? null : `expected a status of 4xx with an error, got ${response.status}: ${body.slice(0, 200)}`;
}

/** Null for an answer, or for a call that was given up; else the name and text of its status. */
function callOf(
  client: GRPCInferenceServiceClient,
  { shape, values, outputs }: { shape: number[]; values: Float32Array; outputs: string[] },
  giveUpMs?: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    const message = {
      modelName: 'bench',
      inputs: [{ name: 'input', datatype: 'FP32', shape }],
      outputs: outputs.map((name) => ({ name })),
      rawInputContents: [Buffer.from(values.buffer)],
    };
    const call = client.ModelInfer(message, (error: ServiceError | null) => {
      const isGivenUp = giveUpMs !== undefined && error?.code === status.CANCELLED;
      resolve(error && !isGivenUp ? `${status[error.code]}: ${error.details}` : null);
    });
    if (giveUpMs !== undefined) setTimeout(() => call.cancel(), giveUpMs);
  });
}
