import type * as client from '@aws-sdk/client-s3';
import type * as storage from '@aws-sdk/lib-storage';
import type { S3Location } from './s3-uri.ts';

/** Tries of one request; between them the client pauses for longer and longer, up to some seconds in all. */
const ATTEMPTS_MAX = 4;
const CONNECTION_TIMEOUT_MS = 5000;
/** Without a byte in either direction. */
const SOCKET_TIMEOUT_MS = 30_000;
/** Of one request, which carries one part at most. */
const REQUEST_TIMEOUT_MS = 120_000;

/** The parts of the SDK that are used. It is loaded with the first request: a command that needs no S3 starts without it. */
export type S3Sdk = typeof client & Pick<typeof storage, 'Upload'>;

/**
 * Loads the SDK.
 *
 * @returns  Its modules.
 */
export async function loadSdk(): Promise<S3Sdk> {
  const [sdk, { Upload }] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')]);
  return { ...sdk, Upload };
}

/**
 * Makes a client. Credentials come from where the AWS tools look for them: the environment, the shared files, the machine's role.
 *
 * @param sdk  The SDK.
 * @param location  Endpoint and region, as far as the URI says.
 * @param env  Says the rest: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_REGION` or `AWS_DEFAULT_REGION`; and may hold credentials.
 * @returns  The client, for the caller to destroy.
 */
export function makeClient(sdk: S3Sdk, location: S3Location, env: NodeJS.ProcessEnv): client.S3Client {
  const endpoint = endpointOf(location, env);
  // With a service of one's own the region is a mere name in the signature.
  const region = location.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? (endpoint === undefined ? undefined : 'us-east-1');
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  return new sdk.S3Client({
    // The SDK would look there first too, but only in this process's environment.
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }),
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    forcePathStyle: location.pathStyle ?? endpoint !== undefined,
    maxAttempts: ATTEMPTS_MAX,
    retryMode: 'standard',
    // The checksums that the SDK adds by itself are not known to every service; what is published is compared with its SHA-256 anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * The address of the service, for clients and for messages.
 *
 * @param location  What the URI says.
 * @param env  What the environment says.
 * @returns  Undefined for AWS itself.
 */
export function endpointOf({ endpoint }: S3Location, env: NodeJS.ProcessEnv): string | undefined {
  return endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
}
