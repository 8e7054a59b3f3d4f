/** Serving process: options in, one ready line out, drained on SIGTERM. */
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { openPosterior } from '@sublace/pipeline';
import { createLogger } from '@sublace/telemetry';
import { readOptions, type ServeOptions } from './options.ts';
import { servePosterior } from './served-posterior.ts';
import { startServer } from './server.ts';

async function serve({ posterior, model, name, httpPort, grpcPort, host }: ServeOptions): Promise<void> {
  const log = createLogger({ role: 'serving' });
  setLogVerbosity(logVerbosity.NONE); // every failure reaches our own log or message; its lines would stand beside them
  await startBackend();
  const fitted = await openPosterior(posterior, model === undefined ? {} : { model });
  const server = await startServer({ models: [servePosterior(fitted, name)], httpPort, grpcPort, host, log });

  const stopWith = (exitCode: number): void => {
    log.info({}, 'draining');
    void server.stop().then(() => process.exit(exitCode));
  };
  process.once('SIGTERM', () => stopWith(0));
  process.once('SIGINT', () => stopWith(130));
  process.stdout.write(`${JSON.stringify({ httpPort: server.httpPort, grpcPort: server.grpcPort, model: name })}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options) await serve(options);
} catch (thrown) {
  const error = SublaceError.from(thrown);
  const text = error.code === 'INTERNAL' && thrown instanceof Error ? (thrown.stack ?? thrown.message) : error.message;
  process.stderr.write(`sublace: ${text}\n`);
  process.exit(error.exitCode);
}
