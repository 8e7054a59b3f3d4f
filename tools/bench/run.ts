/** `npm run bench -- NAME [ARGS]`: comparisons on real data, through the command line. */
import { largeSubnetwork } from './large-subnetwork.ts';
import { rotatedMnist } from './rotated-mnist.ts';
import { uciGap } from './uci-gap.ts';

const BENCHES: Readonly<Record<string, (args: readonly string[]) => void | Promise<void>>> = {
  'large-subnetwork': largeSubnetwork,
  'rotated-mnist': rotatedMnist,
  'uci-gap': uciGap,
};

const [name = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(BENCHES, name)) {
  console.error(`bench: expected one of ${Object.keys(BENCHES).join(', ')}, got '${name}'`);
  process.exit(2);
}
await BENCHES[name](args);
