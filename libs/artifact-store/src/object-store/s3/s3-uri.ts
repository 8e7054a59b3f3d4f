import { SublaceError } from '@sublace/errors';
import { checkPrefix } from '../keys.ts';

/** Where objects lie in a service that speaks S3. */
export interface S3Location {
  bucket: string;
  /** Start of every key, without a slash at its end; empty for the whole bucket. */
  prefix: string;
  /** Address of the service; AWS itself, or what the environment says, when absent. */
  endpoint?: string;
  region?: string;
  /** Whether the bucket is the first part of the path instead of the host's name. Default: true with an endpoint, else false. */
  pathStyle?: boolean;
}

const EXPECTED = 's3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=REGION&pathStyle=true';
const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Whether a text is meant as the URI of a place in S3.
 *
 * @param text  A URI or a path.
 * @returns  True when it starts with `s3:`.
 */
export function isS3Uri(text: string): boolean {
  return /^s3:/i.test(text);
}

/**
 * Reads an `s3://` URI.
 *
 * @param uri  `s3://BUCKET/PREFIX`, with `endpoint`, `region` and `pathStyle` after a question mark.
 * @returns  Its parts.
 * @throws SublaceError INVALID_ARGUMENT when it is none, or holds credentials.
 */
export function parseS3Uri(uri: string): S3Location {
  const match = /^s3:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(uri);
  if (!match) throw invalid(uri, 'another form');
  const [, bucket, path = '', query = ''] = match;
  if (bucket.includes('@')) throw invalid(uri.replace(/\/\/[^@]*@/, '//...@'), 'credentials in it; they belong into the environment');
  if (!bucketName.test(bucket)) throw invalid(uri, `the bucket ${JSON.stringify(bucket)}`);
  const location: S3Location = { bucket, prefix: checkPrefix(path.replace(/\/$/, '')) };
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'endpoint' && isHttp(value)) location.endpoint = value;
    else if (name === 'region' && /^[a-z0-9-]+$/i.test(value)) location.region = value;
    else if (name === 'pathStyle' && /^(true|false)$/.test(value)) location.pathStyle = value === 'true';
    else throw invalid(uri, `${name}=${value}`);
  }
  return location;
}

/**
 * The URI of a location.
 *
 * @param location  Its parts.
 * @returns  What {@link parseS3Uri} reads.
 */
export function formatS3Uri({ bucket, prefix, endpoint, region, pathStyle }: S3Location): string {
  const query = [
    ...(endpoint === undefined ? [] : [`endpoint=${endpoint}`]),
    ...(region === undefined ? [] : [`region=${region}`]),
    ...(pathStyle === undefined ? [] : [`pathStyle=${pathStyle}`]),
  ].join('&');
  return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${query === '' ? '' : `?${query}`}`;
}

function isHttp(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username + password + search + hash === '';
}

function invalid(uri: string, got: string): SublaceError {
  return new SublaceError('INVALID_ARGUMENT', `${uri}: expected ${EXPECTED}, got ${got}`);
}
