import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addClusterOptions, clusterOf, workerCounts, type ClusterFlags } from './cluster-options.ts';

function parse(...args: string[]): ClusterFlags {
  const command = addClusterOptions(new Command('test').exitOverride().configureOutput({ writeErr: () => undefined }), {
    bandwidth: 'none',
  });
  return command.parse(args, { from: 'user' }).opts();
}

describe('the options of simulated clusters', () => {
  it('leave out what was not asked for: a perfect cluster, but for latency and the time of a request', () => {
    const expected = { network: { latencySeconds: 5e-4 }, controlSeconds: 5e-4, noise: 0, leaseSeconds: 10, attemptsMax: 5, seed: 0 };
    expect(clusterOf(parse())).toEqual(expected);
  });

  it('are all passed on', () => {
    const flags = parse('--bandwidth', '1e9', '--stragglers', '0.1:4', '--losses', '3600:30', '--silent-losses', '--pauses', '600:15');
    expect(clusterOf(flags)).toMatchObject({
      network: { workerBytesPerSecond: 1e9, coordinatorBytesPerSecond: 1e9, reducerBytesPerSecond: 1e9 },
      stragglers: { share: 0.1, factor: 4 },
      losses: { meanSeconds: 3600, returnSeconds: 30, areNoticed: false },
      pauses: { meanSeconds: 600, seconds: 15 },
    });
  });

  it('take a bandwidth by role; the others have no limit', () => {
    expect(clusterOf(parse('--bandwidth', 'worker=1e8,coordinator=2e9')).network).toEqual({
      workerBytesPerSecond: 1e8,
      coordinatorBytesPerSecond: 2e9,
      latencySeconds: 5e-4,
    });
  });

  it('take measured links where no bandwidth is given, and losses without return', () => {
    const cluster = clusterOf(parse('--losses', '100'), { coordinatorBytesPerSecond: 7 });
    expect(cluster.network).toEqual({ coordinatorBytesPerSecond: 7, latencySeconds: 5e-4 });
    expect(cluster.losses).toEqual({ meanSeconds: 100, areNoticed: true });
  });

  it.each([
    ['--stragglers', '2:3', 'share of at most 1'],
    ['--stragglers', '0.1', 'SHARE:FACTOR'],
    ['--losses', '5:', 'MEAN:RETURN'],
    ['--pauses', 'a:b', 'MEAN:LENGTH'],
    ['--bandwidth', '0', 'at least 1'],
    ['--bandwidth', 'switch=1e9', 'a role of worker, reducer, coordinator'],
    ['--bandwidth', 'worker=', 'expected a number'],
  ])('%s %s is refused', (option, value, message) => {
    expect(() => parse(option, value)).toThrow(message);
  });
});

describe('workerCounts', () => {
  it('are ascending, each once', () => {
    expect(workerCounts('4,1,2,4')).toEqual([1, 2, 4]);
    expect(() => workerCounts('1,0')).toThrow('at least 1');
    expect(() => workerCounts('1,,2')).toThrow('whole number');
  });
});
