import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedServer, type ReceivedRequest, type ScriptedAnswer } from '../../test/scripted-server.ts';
import { SublaceClient } from '../sublace-client.ts';
import { topClass } from './classify.ts';
import { standardNormalQuantile } from './normal-quantile.ts';

interface WireRequest {
  parameters: Record<string, unknown>;
  inputs: { name: string; datatype: string; shape: number[] }[];
  outputs: { name: string }[];
}

let server: ScriptedServer;
let client: SublaceClient;

/** The JSON of an inference request. */
function jsonOf({ headers, body }: ReceivedRequest): WireRequest {
  return JSON.parse(body.subarray(0, Number(headers['inference-header-content-length'])).toString()) as WireRequest;
}

/** A model of inputs [N, 2]: every output counts its elements 0, 1, 2, ..., times 1/8. */
function counting(shapes: Record<string, number[]>): (request: ReceivedRequest) => ScriptedAnswer {
  return (request) => {
    if (request.method === 'GET') return { body: { name: 'm', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }], outputs: [] } };
    const { inputs, outputs } = jsonOf(request);
    const [count] = inputs[0].shape;
    return {
      body: {
        model_name: 'm',
        model_version: '7',
        outputs: outputs.map(({ name }) => {
          const shape = [count, ...shapes[name].map((size) => (size === -1 ? count : size))];
          const length = shape.reduce((product, size) => product * size, 1);
          return { name, datatype: 'FP32', shape, data: Array.from({ length }, (_, i) => i / 8) };
        }),
      },
    };
  };
}

beforeEach(async () => {
  server = await ScriptedServer.start();
  client = new SublaceClient(server.url);
});
afterEach(() => server.close());

describe('classify', () => {
  beforeEach(() => {
    server.script = counting({ probabilities: [3], entropy: [], mutual_information: [], logit_variance: [3], logit_covariance: [3, 3] });
  });

  it('answers example by example', async () => {
    const { examples, modelVersion } = await client.classify('m', [
      [1, 2],
      [3, 4],
    ]);
    expect(modelVersion).toBe('7');
    expect(examples).toEqual([
      { probabilities: Float32Array.of(0, 0.125, 0.25), entropy: 0, mutualInformation: 0, logitVariance: Float32Array.of(0, 0.125, 0.25) },
      {
        probabilities: Float32Array.of(0.375, 0.5, 0.625),
        entropy: 0.125,
        mutualInformation: 0.125,
        logitVariance: Float32Array.of(0.375, 0.5, 0.625),
      },
    ]);
  });

  it('sends the knobs that are given, and asks for what is wanted', async () => {
    const values = ['probabilities', 'logitCovariance'] as const;
    const options = { link: 'bridge', temperature: 1.5, values, parameters: { rank: 8 } } as const;
    const { examples } = await client.classify('m', Float32Array.of(1, 2), options);
    expect(examples[0].logitCovariance).toHaveLength(9);
    expect(examples[0]).not.toHaveProperty('entropy');
    const { parameters, outputs } = jsonOf(server.last);
    expect(parameters).toEqual({ link: 'bridge', temperature: 1.5, rank: 8 });
    expect(outputs.map(({ name }) => name)).toEqual(['probabilities', 'logit_covariance']);
  });

  it('asks what the model takes once, and again after a failure', async () => {
    await client.classify('m', Float32Array.of(1, 2));
    await client.classify('m', Float32Array.of(1, 2));
    const gets = (): number => server.received.filter(({ method }) => method === 'GET').length;
    expect(gets()).toBe(1);
    await expect(client.classify('m', Float32Array.of(1, 2, 3))).rejects.toThrow(
      "input 'x': expected examples of [2], 2 numbers each, got 3",
    );
    await client.classify('m', Float32Array.of(1, 2));
    expect(gets()).toBe(2);
    await client.classify('m', Float32Array.of(1, 2), { version: 'canary' });
    expect(server.last.path).toBe('/v2/models/m/versions/canary/infer');
    expect(gets()).toBe(3);
  });

  it('finds the most probable class', () => {
    expect(topClass([0.2, 0.5, 0.3])).toBe(1);
    expect(topClass([0.5, 0.5])).toBe(0);
  });
});

describe('examples', () => {
  const sent = async (examples: Parameters<SublaceClient['classify']>[1]): Promise<WireRequest['inputs'][0] & { hex: string }> => {
    server.script = counting({ probabilities: [3] });
    await client.classify('m', examples, { values: ['probabilities'] });
    const tail = server.last.body.subarray(Number(server.last.headers['inference-header-content-length']));
    return { ...jsonOf(server.last).inputs[0], hex: tail.toString('hex') };
  };

  it('are nested or not, and bytes travel as bytes', async () => {
    const floats = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer).toString('hex');
    const asFloats = { name: 'x', datatype: 'FP32', shape: [2, 2], hex: floats };
    expect(await sent([1, 2, 3, 4])).toMatchObject(asFloats);
    expect(await sent([[1, 2], Float64Array.of(3, 4)])).toMatchObject(asFloats);
    expect(
      await sent([
        [[1], [2]],
        [[3], [4]],
      ]),
    ).toMatchObject(asFloats);
    const asBytes = { datatype: 'UINT8', shape: [2, 2], hex: '01020304' };
    expect(await sent(Uint8Array.of(1, 2, 3, 4))).toMatchObject(asBytes);
    expect(await sent([Uint8ClampedArray.of(1, 2), Uint8Array.of(3, 4)])).toMatchObject(asBytes);
    expect(await sent(Float64Array.of(1, 2))).toMatchObject({ datatype: 'FP64', shape: [1, 2] });
  });

  it('must be whole', async () => {
    await expect(sent([])).rejects.toThrow('got 0 numbers');
    await expect(sent([[1], [2], [3], [4]])).rejects.toThrow('expected a list of 2 examples for 4 numbers, got 4');
  });

  it('need a model of one input', async () => {
    server.script = () => ({ body: { inputs: [], outputs: [] } });
    await expect(client.regress('m', [1])).rejects.toThrow("model 'm': expected one input, got 0; use infer");
  });
});

describe('regress', () => {
  it('answers in raw units, with the interval of an observation', async () => {
    server.script = counting({ mean: [1], variance: [1], noise_variance: [1], std: [1] });
    const { examples } = await client.regress('m', [1, 2, 3, 4], { coverage: 0.8 });
    const [first, second] = examples;
    expect(first).toMatchObject({ mean: Float32Array.of(0), interval: { lower: Float32Array.of(0), upper: Float32Array.of(0) } });
    expect(second.std).toEqual(Float32Array.of(0.125));
    expect(second.interval.upper[0]).toBeCloseTo(0.125 + 1.2815515655 * 0.125, 6);
    expect(second.interval.lower[0]).toBeCloseTo(0.125 - 1.2815515655 * 0.125, 6);
    await expect(client.regress('m', [1, 2], { coverage: 95 })).rejects.toThrow('coverage: expected a probability');
  });

  it.each([
    [0.5, 0],
    [0.9, 1.2815515655446004],
    [0.975, 1.959963984540054],
    [0.9995, 3.2905267314918945],
    [0.9999995, 4.891638475699],
  ])('knows the normal quantile of %f', (probability, z) => {
    expect(standardNormalQuantile(probability)).toBeCloseTo(z, 8);
  });
});

describe('questions about examples together', () => {
  it('gives the covariance as a matrix', async () => {
    server.script = counting({ joint_covariance: [3, -1, 3] });
    const answer = await client.jointCovariance('m', [1, 2, 3, 4]);
    expect(answer).toMatchObject({ exampleCount: 2, outputCount: 3 });
    expect(answer.covariance).toHaveLength(36);
    expect(answer.covariance[7]).toBe(7 / 8);
  });

  it('gives functions, each with its values at all examples', async () => {
    server.script = counting({ samples: [4, 3] });
    const answer = await client.functionSamples('m', [1, 2, 3, 4], { samples: 4, seed: 1 });
    expect(jsonOf(server.last).parameters).toEqual({ samples: 4, seed: 1 });
    expect(answer.functions).toHaveLength(4);
    // [N, K, C] on the wire: example n, function k, output c is element (n 4 + k) 3 + c.
    expect(answer.functions[1]).toEqual(Float32Array.from([3, 4, 5, 15, 16, 17], (i) => i / 8));
  });

  it('refuses answers of another shape', async () => {
    server.script = counting({ joint_covariance: [3], samples: [3], mean: [1], variance: [1], noise_variance: [1], std: [1] });
    await expect(client.jointCovariance('m', [1, 2])).rejects.toThrow("'joint_covariance': expected shape [1, C, 1, C], got [1, 3]");
    await expect(client.functionSamples('m', [1, 2])).rejects.toThrow("'samples': expected shape [1, K, C]");
  });
});
