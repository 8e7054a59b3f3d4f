import { SublaceError } from '@sublace/errors';

/** What is known of a failure of the SDK. */
export interface SdkFailure {
  name: string;
  message: string;
  /** HTTP status; 0 when there was no answer. */
  status: number;
  /** Tries of the request. */
  attempts: number;
}

const NO_CREDENTIALS = ['CredentialsProviderError', 'ProviderError', 'TokenProviderError'];
const UNREACHABLE = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ETIMEDOUT'];
const REFUSED = ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'AccessDenied', 'ExpiredToken', 'InvalidToken', 'RequestTimeTooSkewed'];

/**
 * What the SDK threw, in one form.
 *
 * @param thrown  What a catch clause received.
 * @returns  Name or system code, message, status and attempts.
 */
export function failureOf(thrown: unknown): SdkFailure {
  const { name, message, code, $metadata } = thrown as Error & {
    code?: string;
    $metadata?: { httpStatusCode?: number; attempts?: number };
  };
  const isSystem = typeof code === 'string' && /^E[A-Z_]+$/.test(code);
  return {
    name: isSystem ? code : name,
    message: message || name,
    status: $metadata?.httpStatusCode ?? 0,
    attempts: $metadata?.attempts ?? 1,
  };
}

/**
 * Whether a failure says that the condition of a write did not hold. S3 answers 409 when another conditional write was under way.
 *
 * @param failure  Of a write with a condition.
 * @returns  True when it does.
 */
export function isConflict({ name, status }: SdkFailure): boolean {
  return (
    status === 412 || name === 'PreconditionFailed' || name === 'ConditionalRequestConflict' || (status === 409 && name !== 'NoSuchBucket')
  );
}

/**
 * Whether a failure says that there is no such object.
 *
 * @param failure  Of any request.
 * @returns  True when it does; a missing bucket is another matter.
 */
export function isMissing({ name, status }: SdkFailure): boolean {
  return name === 'NoSuchKey' || name === 'NotFound' || (status === 404 && name !== 'NoSuchBucket');
}

/**
 * The error for a request that failed.
 *
 * @param thrown  What the SDK threw.
 * @param place  URI of the object or the store.
 * @param endpoint  Address of the service; AWS itself when undefined.
 * @returns  A SublaceError, with what was thrown as its cause.
 */
export function toSublaceError(thrown: unknown, place: string, endpoint: string | undefined): SublaceError {
  if (thrown instanceof SublaceError) return thrown;
  const failure = failureOf(thrown);
  const { name, message, status } = failure;
  const line = message.replaceAll(/\s+/g, ' ').trim();
  const service = endpoint ?? 'AWS';
  const error = (code: ConstructorParameters<typeof SublaceError>[0], text: string): SublaceError =>
    new SublaceError(code, `${place}: ${text}`, { cause: thrown });

  if (name === 'NoSuchBucket')
    return error('NOT_FOUND', `expected a bucket at ${service}, got none of that name; create it or check the URI`);
  if (NO_CREDENTIALS.includes(name))
    return error(
      'UNAUTHENTICATED',
      `expected credentials, got none (${line}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE`,
    );
  if (REFUSED.includes(name) || status === 401 || status === 403)
    return error(
      'UNAUTHENTICATED',
      `expected ${service} to accept the credentials, got ${name} (${line}); check them and what they may do`,
    );
  if (name === 'TimeoutError' && status === 0)
    return error('DEADLINE_EXCEEDED', `expected an answer of ${service} in time, got none (${line}); check that it runs`);
  if (UNREACHABLE.includes(name) || (status === 0 && /socket|connect|network|aborted|hang up/i.test(line)))
    return error('UNAVAILABLE', `expected an answer of ${service}, got ${name}; check that it runs and can be reached`);
  if (status >= 500 || status === 429 || ['SlowDown', 'TooManyRequests', 'RequestTimeout'].includes(name))
    return error('UNAVAILABLE', `expected ${service} to answer, got ${name} (${line}); try again later`);
  if (/region is missing/i.test(line))
    return error('INVALID_ARGUMENT', 'expected a region, got none; add ?region=REGION or set AWS_REGION');
  if (isMissing(failure)) return error('NOT_FOUND', 'expected an object, got none; check the name');
  if (status >= 300)
    return error('INVALID_ARGUMENT', `expected ${service} to accept the request, got ${name} (${line}); check URI and region`);
  return error('INTERNAL', `${name}: ${line}`);
}
