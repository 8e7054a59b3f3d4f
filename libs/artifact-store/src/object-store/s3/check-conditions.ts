import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { SublaceError } from '@sublace/errors';
import type { S3Sdk } from './s3-client.ts';
import { failureOf, isConflict, isMissing } from './s3-errors.ts';

/**
 * Makes sure that a service obeys the conditions of writes: one that does not know them ignores them, and two writers would both believe that they
 * won. Tried with an object of its own, which is removed again.
 *
 * @param sdk  The SDK.
 * @param client  Connection to the service.
 * @param bucket  The bucket.
 * @param prefix  Start of its keys, with a slash at its end unless empty.
 * @throws SublaceError OUTPUT_UNWRITABLE when a condition is ignored; whatever the SDK throws when the bucket cannot be written.
 */
export async function checkConditions(sdk: S3Sdk, client: S3Client, bucket: string, prefix: string): Promise<void> {
  const object = { Bucket: bucket, Key: `${prefix}.probe-${randomUUID()}` };
  const isRefused = async (condition: { IfNoneMatch: string } | { IfMatch: string }): Promise<boolean> => {
    try {
      await client.send(new sdk.PutObjectCommand({ ...object, Body: 'again', ...condition }));
      return false;
    } catch (error) {
      const failure = failureOf(error);
      if (isConflict(failure) || isMissing(failure)) return true;
      // What a service says to a header that it does not know.
      if (failure.status === 501) return false;
      throw error;
    }
  };
  await client.send(new sdk.PutObjectCommand({ ...object, Body: 'probe' }));
  try {
    const ignored = [
      ...((await isRefused({ IfNoneMatch: '*' })) ? [] : ['If-None-Match']),
      ...((await isRefused({ IfMatch: '"00000000000000000000000000000000"' })) ? [] : ['If-Match']),
    ];
    if (ignored.length === 0) return;
    throw new SublaceError(
      'OUTPUT_UNWRITABLE',
      `s3://${bucket}/${prefix}: expected a service that obeys conditional writes, got one that ignores ${ignored.join(' and ')}; use a newer version of it, or another one`,
    );
  } finally {
    await client.send(new sdk.DeleteObjectCommand(object)).catch(() => undefined);
  }
}
