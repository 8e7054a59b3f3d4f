import { SublaceError } from '@sublace/errors';
import { isLoopback } from '@sublace/protocol';
import type { OptionValues } from './option-table.ts';

/**
 * Checks what no option can say alone.
 *
 * @param options  All of them.
 * @throws SublaceError USAGE for options that do not go together, INVALID_ARGUMENT for listening elsewhere than on loopback without a token.
 */
export function checkTogether(options: Readonly<OptionValues>): void {
  const { posterior = [], model, name, registry, serve, canaryShare, rateLimit, rateBurst, maxBodyBytes, maxBodyBytesTotal } = options;
  if (posterior.length === 0 && registry === undefined) throw usage('expected --posterior or --registry, got neither; see --help');
  const single = model === undefined ? (name === undefined ? null : '--name') : '--model';
  if (single && posterior.length !== 1) {
    throw usage(`${single}: expected one --posterior beside it, got ${posterior.length}; use --posterior NAME=PLACE for several`);
  }
  if (name !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]*=/.test(posterior[0])) {
    throw usage(`--name: expected a name here or in --posterior, got both; leave one out`);
  }
  if (registry === undefined && serve !== undefined) throw usage('--serve: expected --registry beside it, got none');
  if (registry === undefined && canaryShare > 0)
    throw usage('--canary-share: expected --registry beside it, got none; labels are kept there');
  if (rateLimit === undefined && rateBurst !== undefined) throw usage('--rate-burst: expected --rate-limit beside it, got none');
  // A compressed body is held as it came and as it is without its compression: what is never let in must not be told to try again.
  if (maxBodyBytesTotal !== undefined && maxBodyBytesTotal < 2 * maxBodyBytes)
    throw usage(`--max-body-bytes-total: expected at least twice --max-body-bytes, ${2 * maxBodyBytes} bytes, got ${maxBodyBytesTotal}`);
  checkAccess(options);
}

function checkAccess({ host, insecureNoToken, ...options }: Readonly<OptionValues>): void {
  const { inferenceTokenFile, adminTokenFile, inferenceToken, adminToken } = options;
  const hasToken = [inferenceTokenFile, adminTokenFile, inferenceToken, adminToken].some((each) => each !== undefined);
  if (isLoopback(host) || hasToken || insecureNoToken) return;
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `host ${host}: expected tokens when not on loopback, got none; set --inference-token-file or SUBLACE_SERVE_INFERENCE_TOKEN, or --insecure-no-token`,
  );
}

function usage(message: string): SublaceError {
  return new SublaceError('USAGE', message);
}
