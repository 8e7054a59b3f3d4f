/** Starts the child named on the command line, reports its process id and stays. */
import { startProcess } from '../start-process.ts';

const [entry = '', ...args] = process.argv.slice(2);
const child = await startProcess({ name: 'child', entry, args });
process.stdout.write(`${child.pid}\n`);
setInterval(() => undefined, 1000);
