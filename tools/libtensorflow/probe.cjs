/** Exit code 0 when the native runtime loads and computes. Run in its own process: a broken library can end the process that loads it. */
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const tf = require('@tensorflow/tfjs-node-gpu');
const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])).dataSync();
process.exit(tf.getBackend() === 'tensorflow' && product[3] === 50 ? 0 : 1);
