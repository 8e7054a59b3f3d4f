import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('readOptions', () => {
  it('fills defaults and names the model after the folder', () => {
    expect(readOptions(['--posterior', 'runs/mnist/'])).toEqual({
      posterior: 'runs/mnist/',
      name: 'mnist',
      httpPort: 8080,
      grpcPort: 8081,
      host: '127.0.0.1',
    });
  });

  it('takes everything it is told', () => {
    const args = ['--posterior', 'p', '--model', 'm', '--name', 'n', '--http-port', '0', '--grpc-port', '65535', '--host', '::1'];
    expect(readOptions(args)).toEqual({ posterior: 'p', model: 'm', name: 'n', httpPort: 0, grpcPort: 65535, host: '::1' });
  });

  it.each([
    [[], /--posterior/],
    [['--posterior'], /argument missing/],
    [['--posterior', 'p', '--http-port', '65536'], /expected an integer from 0 to 65535, got '65536'/],
    [['--posterior', 'p', '--grpc-port', '-1'], /got '-1'/],
    [['--posterior', 'p', '--grpc-port', '8e3'], /got '8e3'/],
    [['--posterior', 'p', '--gate', '1'], /unknown option '--gate'/],
    [['--posterior', 'p', 'q'], /too many arguments/],
  ])('refuses %j in one line', (args, message) => {
    expect(() => readOptions(args)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) as string }));
    expect(() => readOptions(args)).not.toThrow(/\n/);
  });
});
