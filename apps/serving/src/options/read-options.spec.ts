import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagOf, optionEntries, variableOf } from './option-table.ts';
import { posteriorPlaces } from './posterior-places.ts';
import { readOptions, type ServeOptions } from './read-options.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sublace-options-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of options. */
function file(config: unknown, name = 'serve.json'): string {
  const path = join(folder, name);
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

const read = (args: string[], env: NodeJS.ProcessEnv = {}): ServeOptions => readOptions(args, env)!;
const refusal = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;

describe('readOptions', () => {
  it('fills every default', () => {
    const options = read(['--posterior', 'runs/mnist']);
    for (const [key, spec] of optionEntries) if (key !== 'posterior') expect(options[key]).toEqual(spec.default);
    expect(options).toMatchObject({ httpPort: 8080, grpcPort: 8081, host: '127.0.0.1', maxBodyBytes: 67_108_864, strictReadiness: true });
  });

  it('keeps the flags that it has had', () => {
    const args = ['--posterior', 'p', '--model', 'm', '--name', 'n', '--http-port', '0', '--grpc-port', '65535', '--host', '::1'];
    expect(read(args)).toMatchObject({ posterior: ['p'], model: 'm', name: 'n', httpPort: 0, grpcPort: 65535, host: '::1' });
  });

  it('takes a flag before its variable, that before the file, that before the default', () => {
    const config = file({ httpPort: 1, grpcPort: 2, maxBatchSize: 3, accessLog: true, page: false });
    const env = { SUBLACE_SERVE_HTTP_PORT: '11', SUBLACE_SERVE_GRPC_PORT: '12', SUBLACE_SERVE_ACCESS_LOG: '0', SUBLACE_SERVE_HOST: '' };
    const options = read(['--posterior', 'p', '--config', config, '--http-port', '21'], env);
    expect(options).toMatchObject({ httpPort: 21, grpcPort: 12, maxBatchSize: 3, accessLog: false, page: false, queueTimeoutMs: 30_000 });
    expect(options.host).toBe('127.0.0.1'); // a variable that is set to nothing is not set
    expect(read(['--posterior', 'p', '--page'], { SUBLACE_SERVE_CONFIG: config }).page).toBe(true);
  });

  it('takes lists from repeated flags, from variables with commas, and from texts or lists in files', () => {
    expect(read(['--posterior', 'a=p', '--posterior', 'q']).posterior).toEqual(['a=p', 'q']);
    expect(read([], { SUBLACE_SERVE_POSTERIOR: 'a=p,q' }).posterior).toEqual(['a=p', 'q']);
    expect(read(['--config', file({ posterior: ['a=p', 'q'] })]).posterior).toEqual(['a=p', 'q']);
    expect(read(['--config', file({ posterior: 'p' })]).posterior).toEqual(['p']);
  });

  it('takes sizes with their units', () => {
    const size = (text: string): number | undefined => read(['--posterior', 'p', '--memory-limit', text]).memoryLimit;
    expect([size('1024'), size('8GiB'), size('1.5 MiB'), size('2GB')]).toEqual([1024, 8 * 2 ** 30, 1.5 * 2 ** 20, 2e9]);
    expect(read(['--config', file({ posterior: 'p', memoryLimit: 5 })]).memoryLimit).toBe(5);
  });

  it('takes origins as browsers send them', () => {
    const args = ['--posterior', 'p', '--cors-origin', 'https://app.example.org', '--cors-origin', 'http://localhost:5173'];
    expect(read(args).corsOrigin).toEqual(['https://app.example.org', 'http://localhost:5173']);
    expect(read(['--posterior', 'p'], { SUBLACE_SERVE_CORS_ORIGIN: 'http://[::1]:8081,*' }).corsOrigin).toEqual(['http://[::1]:8081', '*']);
    expect(read(['--config', file({ posterior: 'p', corsOrigin: '*' })]).corsOrigin).toEqual(['*']);
  });

  it.each([
    'https://app.example.org/',
    'https://app.example.org/app',
    'https://App.example.org',
    'https://app.example.org:443',
    'https://*.example.org/',
    'https://user@app.example.org',
    'app.example.org',
    'ftp://app.example.org',
    'null',
    '',
  ])("refuses '%s' as an origin", (origin) => {
    const args = ['--posterior', 'p', '--cors-origin', 'https://app.example.org', '--cors-origin', origin];
    const message = /^--cors-origin: expected \* or origins as browsers send them, such as https:\/\/app\.example\.org, got \[.*\]$/;
    expect(() => readOptions(args)).toThrow(refusal('USAGE', message));
  });

  it('shares the variables of certificates with the other roles', () => {
    const env = { SUBLACE_TLS_CERT: 'c', SUBLACE_TLS_KEY: 'k', SUBLACE_TLS_CA: 'a', SUBLACE_TLS_CLIENT_AUTH: '1' };
    expect(read(['--posterior', 'p'], env)).toMatchObject({ tlsCert: 'c', tlsKey: 'k', tlsCa: 'a', tlsClientAuth: true });
  });

  it.each([
    [[], /expected --posterior or --registry, got neither/],
    [['--posterior'], /argument missing/],
    [['--posterior', 'p', '--http-port', '65536'], /^--http-port: expected an integer from 0 to 65535, got 65536/],
    [['--posterior', 'p', '--grpc-port', '-1'], /--grpc-port: .*got '-1'/],
    [['--posterior', 'p', '--grpc-port', '8e3'], /got '8e3'/],
    [['--posterior', 'p', '--canary-share', '1.5', '--registry', 'r'], /--canary-share: expected a number from 0 to 1, got 1\.5/],
    [['--posterior', 'p', '--memory-limit', '8TB'], /--memory-limit: expected bytes, .* got '8TB'/],
    [['--posterior', 'p', '--log-level', 'loud'], /--log-level: expected one of silent, error, warn, info, debug, got 'loud'/],
    [['--posterior', 'p', '--gate', '1'], /unknown option '--gate'/],
    [['--posterior', 'p', '--inference-token', 'x'], /unknown option '--inference-token'/],
    [['--posterior', 'p', 'q'], /too many arguments/],
    [['--posterior', 'p', '--posterior', 'q', '--name', 'n'], /--name: expected one --posterior beside it, got 2/],
    [['--registry', 'r', '--model', 'm'], /--model: expected one --posterior beside it, got 0/],
    [['--posterior', 'a=p', '--name', 'n'], /--name: expected a name here or in --posterior, got both/],
    [['--posterior', 'p', '--serve', 'n'], /--serve: expected --registry beside it/],
    [['--posterior', 'p', '--canary-share', '0.1'], /--canary-share: expected --registry beside it/],
    [
      ['--posterior', 'p', '--max-body-bytes-total', '1MiB'],
      /-total: expected at least twice --max-body-bytes, 134217728 bytes, got 1048576/,
    ],
    [['--posterior', 'p', '--rate-burst', '5'], /--rate-burst: expected --rate-limit beside it/],
  ])('refuses %j in one line', (args, message) => {
    expect(() => readOptions(args)).toThrow(refusal('USAGE', message));
    expect(() => readOptions(args)).not.toThrow(/\n/);
  });

  it('names the variable that cannot be understood', () => {
    expect(() => read(['--posterior', 'p'], { SUBLACE_SERVE_HTTP_PORT: 'tcp://10.0.0.1:80' })).toThrow(
      refusal('USAGE', /^SUBLACE_SERVE_HTTP_PORT: expected an integer from 0 to 65535, got 'tcp:\/\/10.0.0.1:80'$/),
    );
    expect(() => read(['--posterior', 'p'], { SUBLACE_TLS_CLIENT_AUTH: 'maybe' })).toThrow(
      refusal('USAGE', /^SUBLACE_TLS_CLIENT_AUTH: expected 1, true, 0 or false, got 'maybe'$/),
    );
  });

  it.each([
    [{ httpPort: '8080' }, /serve\.json: httpPort: expected an integer from 0 to 65535, got '8080'$/],
    [{ httpPort: 1.5 }, /httpPort: expected an integer .*, got 1\.5/],
    [{ accessLog: 'yes' }, /accessLog: expected 1, true, 0 or false, got 'yes'/],
    [{ posterior: [] }, /posterior: expected one or more of \[NAME=\]PLACE, got \[\]/],
    [{ httpPorts: 1 }, /serve\.json: expected options by their keys, got 'httpPorts'; sublace serve --help/],
    [{ 'http-port': 1 }, /got 'http-port' for 'httpPort'/],
    [{ SUBLACE_SERVE_HTTP_PORT: 1 }, /got 'SUBLACE_SERVE_HTTP_PORT' for 'httpPort'/],
    [{ inferenceToken: 'x' }, /expected no tokens in it, got 'inferenceToken'; set SUBLACE_SERVE_INFERENCE_TOKEN/],
    [{ config: 'x' }, /expected options that a file may have, got 'config'/],
    [{ toString: 1 }, /got 'toString'/],
    [[], /expected a JSON object with options/],
    ['{ "httpPort": ', /expected JSON, got/],
  ])('refuses a file with %j, by its name', (config, message) => {
    const args = ['--posterior', 'p', '--config', file(config)];
    expect(() => read(args)).toThrow(refusal('USAGE', message));
    expect(() => read(args)).not.toThrow(/\n/);
  });

  it('refuses a file that is not there', () => {
    expect(() => read(['--posterior', 'p', '--config', join(folder, 'none.json')])).toThrow(
      refusal('INVALID_ARGUMENT', /none\.json: expected a file that can be read, got ENOENT; check --config/),
    );
  });

  it('asks for tokens elsewhere than on loopback', () => {
    const args = ['--posterior', 'p', '--host', '0.0.0.0'];
    expect(() => read(args)).toThrow(refusal('INVALID_ARGUMENT', /host 0\.0\.0\.0: expected tokens when not on loopback, got none/));
    expect(() => read(args, { SUBLACE_TOKEN: 'of the cluster' })).toThrow(/got none/);
    expect(read(args, { SUBLACE_SERVE_INFERENCE_TOKEN: 'x' }).host).toBe('0.0.0.0');
    expect(read([...args, '--admin-token-file', 'f']).host).toBe('0.0.0.0');
    expect(read([...args, '--insecure-no-token']).host).toBe('0.0.0.0');
  });

  it('prints what holds, as a file that says the same, without tokens', () => {
    const printed: string[] = [];
    const env = { SUBLACE_SERVE_ADMIN_TOKEN: 'open-sesame', SUBLACE_SERVE_MAX_BODY_BYTES: '1MiB' };
    expect(readOptions(['--posterior', 'a=p', '--no-page', '--print-config'], env, (text) => printed.push(text))).toBeNull();
    expect(printed.join('')).not.toContain('open-sesame');
    const { adminToken, ...config } = JSON.parse(printed.join('')) as Record<string, unknown>;
    expect(adminToken).toBe('[secret]');
    expect(config).toMatchObject({ posterior: ['a=p'], page: false, maxBodyBytes: 2 ** 20, httpPort: 8080 });
    const again: string[] = [];
    readOptions(['--config', file(config), '--print-config'], { SUBLACE_SERVE_ADMIN_TOKEN: 'x' }, (text) => again.push(text));
    expect(again).toEqual(printed);
  });

  it('prints no password of an address', () => {
    const printed: string[] = [];
    readOptions(['--registry', 'redis://user:hidden@host:6379/0', '--print-config'], {}, (text) => printed.push(text));
    expect(JSON.parse(printed.join(''))).toMatchObject({ registry: 'redis://user:[secret]@host:6379/0' });
  });

  it('has one flag, one variable and one key for each option, each once', () => {
    const names = optionEntries.flatMap(([key, spec]) => [flagOf(key), variableOf(key, spec)]);
    expect(new Set(names).size).toBe(names.length);
    expect(flagOf('maxQueueDelayMs')).toBe('--max-queue-delay-ms');
    expect(variableOf('maxQueueDelayMs', {})).toBe('SUBLACE_SERVE_MAX_QUEUE_DELAY_MS');
  });
});

describe('posteriorPlaces', () => {
  it('names a posterior as it is told, or after its place', () => {
    const posterior = ['runs/mnist/', 'b=s3://bucket/runs/two', './a=1/two', 's3://bucket/runs/three'];
    expect(posteriorPlaces({ posterior, model: undefined, name: undefined })).toEqual([
      { name: 'mnist', place: 'runs/mnist/' },
      { name: 'b', place: 's3://bucket/runs/two' },
      { name: 'two', place: './a=1/two' },
      { name: 'three', place: 's3://bucket/runs/three' },
    ]);
    expect(posteriorPlaces({ posterior: ['p'], model: 'm', name: 'n' })).toEqual([{ name: 'n', place: 'p', model: 'm' }]);
  });

  it('refuses a name that cannot stand in an address', () => {
    expect(() => posteriorPlaces({ posterior: ['runs/ä'], model: undefined, name: undefined })).toThrow(
      refusal('USAGE', /--posterior runs\/ä: expected a name of .*, got 'ä'; use NAME=PLACE/),
    );
  });
});
