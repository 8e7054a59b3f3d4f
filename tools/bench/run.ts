/** `npm run bench -- [NAME [ARGS]]`: the numerics benchmark, and comparisons on real data through the command line. */
import { exactSum } from './cluster/exact-sum.ts';
import { largeReduction } from './cluster/large-reduction.ts';
import { factorisation } from './cluster/factorisation.ts';
import { idleWorkers } from './cluster/idle-workers.ts';
import { transport } from './cluster/transport.ts';
import { redisQueue } from './cluster/redis-queue.ts';
import { largeSubnetwork } from './large-subnetwork.ts';
import { numerics } from './numerics/suite.ts';
import { predict } from './predict.ts';
import { rotatedMnist } from './rotated-mnist.ts';
import { serving } from './serving/serving.ts';
import { uciGap } from './uci-gap.ts';

const BENCHES: Readonly<Record<string, (args: readonly string[]) => void | Promise<void>>> = {
  'exact-sum': exactSum,
  'large-reduction': largeReduction,
  factorisation,
  'idle-workers': idleWorkers,
  'large-subnetwork': largeSubnetwork,
  numerics,
  predict,
  'redis-queue': redisQueue,
  'rotated-mnist': rotatedMnist,
  serving,
  transport,
  'uci-gap': uciGap,
};

const [name = 'numerics', ...args] = process.argv.slice(2);
const isOption = name.startsWith('-');
if (!isOption && !Object.hasOwn(BENCHES, name)) {
  console.error(`bench: expected one of ${Object.keys(BENCHES).join(', ')}, got '${name}'`);
  process.exit(2);
}
await (isOption ? numerics([name, ...args]) : BENCHES[name](args));
