import { deflateSync, gzipSync } from 'node:zlib';
import { datatypes, hostileNames, hostileShapes, hostileValue, wrongDatatypes } from './conformance-hostile.ts';
import { mutateBytes, type Random } from './conformance-random.ts';

/** A request that may be anything. */
export interface FuzzedHttpRequest {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

type Json = Record<string, unknown>;

/** Beyond the limit once it is decompressed. */
const bomb = gzipSync(Buffer.alloc(8 * 2 ** 20));

const inferPath = '/v2/models/toy/infer';
const lengthHeader = 'inference-header-content-length';

/**
 * Requests by REST about the model `toy` with the input [N, 1].
 *
 * @param random  Numbers: the same ones, the same requests.
 * @returns  The next request.
 */
export function fuzzedHttpRequest(random: Random): FuzzedHttpRequest {
  const kinds: [string, () => Partial<FuzzedHttpRequest>][] = [
    ['json value', () => ({ body: jsonOf(withHostileValue(random, goodBody(random))) })],
    ['json bytes', () => ({ body: mutateBytes(random, jsonOf(goodBody(random))) })],
    ['shape', () => ({ body: jsonOf(goodBody(random, { shape: random.pick(hostileShapes) })) })],
    ['datatype', () => ({ body: jsonOf(goodBody(random, { datatype: random.pick([...wrongDatatypes, ...datatypes]) })) })],
    [
      'no number',
      () => ({
        body: Buffer.from(
          jsonOf(goodBody(random))
            .toString()
            .replace(/\d\.\d+/, random.pick(noNumbers)),
        ),
      }),
    ],
    ['deep json', () => ({ body: deepJson(random) })],
    ['raw', () => rawRequest(random)],
    ['raw bytes', () => mutated(random, rawRequest(random))],
    ['coding', () => codedRequest(random)],
    ['headers', () => ({ headers: hostileHeaders(random), body: jsonOf(goodBody(random)) })],
    ['path', () => pathTrick(random)],
    ['noise', () => ({ body: random.bytes(random.below(300)) })],
  ];
  const [kind, make] = random.pick(kinds);
  return { kind, method: 'POST', path: inferPath, headers: {}, body: Buffer.alloc(0), ...make() };
}

const noNumbers = ['NaN', 'Infinity', '-Infinity', '1e999', '-1e999', '1e39', '"1"', 'null', '0x10', '01', '1_000', '[]', 'true'];

function goodBody(random: Random, input: Json = {}): Json {
  const count = 1 + random.below(4);
  const data = Array.from({ length: count }, () => random.next() * 4 - 2);
  return {
    id: 'fuzz',
    inputs: [{ name: 'input', datatype: 'FP32', shape: [count, 1], data, ...input }],
    ...(random.chance(0.5) && { outputs: [{ name: 'mean' }, { name: 'variance', parameters: { binary_data: random.chance(0.5) } }] }),
  };
}

function jsonOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** One value somewhere in a body is another, has gone, or is there under another name. */
function withHostileValue(random: Random, body: Json): unknown {
  const places: [Json, string][] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push([value as Json, key]);
      visit((value as Json)[key]);
    }
  };
  visit(body);
  const [holder, key] = random.pick(places);
  if (random.chance(0.1)) Reflect.deleteProperty(holder, key);
  else if (random.chance(0.1) && !Array.isArray(holder))
    holder[random.pick(['__proto__x', 'data', 'name', 'parameters'])] = hostileValue(random);
  else holder[key] = hostileValue(random);
  return body;
}

function deepJson(random: Random): Buffer {
  const depth = random.pick([100, 10_000, 100_000]);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ]);
  const deep = open.repeat(depth) + (open === '[' ? '' : '1') + close.repeat(depth);
  const place = random.below(4);
  if (place === 0) return Buffer.from(deep);
  if (place === 1) return Buffer.from(open.repeat(depth));
  const data = place === 2 ? deep : '[1]';
  const parameters = place === 3 ? `,"parameters":{"a":${deep}}` : '';
  return Buffer.from(`{"inputs":[{"name":"input","datatype":"FP32","shape":[1,1],"data":${data}}]${parameters}}`);
}

function rawRequest(random: Random): Partial<FuzzedHttpRequest> {
  const count = 1 + random.below(5);
  const tail = random.pick([
    () => Buffer.from(Float32Array.from({ length: count }, () => random.next()).buffer),
    () => Buffer.from(Float32Array.from({ length: count }, () => random.pick([NaN, Infinity, -Infinity, 1])).buffer),
    () => random.bytes(random.below(64)),
  ])();
  const size = random.chance(0.7) ? tail.length : random.pick<unknown>([0, -1, 1, 2 ** 31, 2 ** 53, 1e308, 'x', null, 1.5]);
  const shape = random.chance(0.7) ? [count, 1] : random.pick(hostileShapes);
  const datatype = random.chance(0.7) ? 'FP32' : random.pick([...datatypes, ...wrongDatatypes]);
  const json = jsonOf({ inputs: [{ name: 'input', datatype, shape, parameters: { binary_data_size: size } }] });
  const length = random.chance(0.7)
    ? String(json.length)
    : random.pick(['0', '-1', '1', '999999999', '1e3', '0x10', '', ' ', 'NaN', '12, 12', '9'.repeat(400)]);
  return { headers: { [lengthHeader]: length }, body: Buffer.concat([json, tail]) };
}

function mutated(random: Random, { body = Buffer.alloc(0), ...rest }: Partial<FuzzedHttpRequest>): Partial<FuzzedHttpRequest> {
  return { ...rest, body: mutateBytes(random, body) };
}

function codedRequest(random: Random): Partial<FuzzedHttpRequest> {
  const json = jsonOf(goodBody(random));
  const coded = random.pick([
    () => gzipSync(json),
    () => deflateSync(json),
    () => json,
    () => bomb,
    () => gzipSync(json).subarray(0, 12),
  ])();
  return {
    headers: {
      'content-encoding': random.pick(['gzip', 'deflate', 'br', 'identity', 'GZIP', 'gzip, gzip', 'x', '']),
      'accept-encoding': random.pick(['gzip', 'deflate', '*', 'gzip;q=0', ';;;,,,', 'x'.repeat(1000)]),
    },
    body: random.chance(0.3) ? mutateBytes(random, coded) : coded,
  };
}

function hostileHeaders(random: Random): Record<string, string> {
  const [name, value] = random.pick<[string, string]>([
    ['x-request-id', random.pick(['', '../x', 'a'.repeat(200), '<script>', '{{7*7}}', '\u00ff'])],
    ['content-type', random.pick(['', 'text/html', 'multipart/form-data', 'application/json; charset=utf-16', '/', ';;', 'x'.repeat(500)])],
    [lengthHeader, random.pick(['-5', '5', '1e9', 'abc', '00000'])],
    ['accept', 'application/x-none'],
    ['expect', '100-continue'],
    ['traceparent', random.pick(['00-zz', 'x'.repeat(500), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'])],
    ['authorization', random.pick(['Bearer', 'Bearer x', 'Basic !!!!', 'x'.repeat(4000)])],
    ['x-large', 'x'.repeat(random.pick([1000, 15_000, 20_000]))],
  ]);
  return { [name]: value };
}

function pathTrick(random: Random): Partial<FuzzedHttpRequest> {
  const encode = random.chance(0.5) ? encodeURIComponent : (name: string): string => encodeURI(name).replace(/%25/g, '%');
  const name = (): string => (random.chance(0.2) ? 'toy' : encode(random.pick(hostileNames)));
  const path = random.pick([
    () => `/v2/models/${name()}`,
    () => `/v2/models/${name()}/infer`,
    () => `/v2/models/toy/versions/${name()}/infer`,
    () => `/v2/models/${name()}/versions/${name()}/ready`,
    () => `/v2/models/${name()}/stats`,
    () => `/v2/models/${name()}/config`,
    () => `/v2/repository/models/${name()}/load`,
    () => `/v2//models/${name()}`,
    () => `/${name()}`,
    () => `/v2/models/toy/infer?${name()}=${name()}`,
    () => `/v2/health/${name()}`,
  ])();
  const method = random.pick(['GET', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']);
  return { path, method, body: method === 'POST' ? jsonOf(goodBody(random)) : Buffer.alloc(0) };
}
