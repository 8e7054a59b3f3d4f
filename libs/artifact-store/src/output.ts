import { isAbsolute, join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { BucketOutput } from './bucket/bucket-output.ts';
import { readBucketManifest } from './bucket/published-manifest.ts';
import { checkWritable, type WritableOptions } from './check-writable.ts';
import { readManifest, type ArtifactManifest, type ReadManifestOptions } from './manifest.ts';
import { formatS3Uri, isS3Uri, parseS3Uri } from './object-store/s3/s3-uri.ts';
import { discardStaging, publishDirectory, recoverOutput, stageDirectory, type PublishOptions } from './publish.ts';

/** Where an artifact is to be published: a folder, or a place in a bucket. What is staged for it is seen by no reader. */
export interface Output {
  /**
   * Makes sure, before any work is spent, that an artifact can be published here.
   *
   * @throws SublaceError OUTPUT_UNWRITABLE when it cannot, or when something is there that must not be replaced; that of the store.
   */
  check(options: WritableOptions): Promise<void>;
  /**
   * A new place to write the artifact to, before it is published or discarded.
   *
   * @param name  Of the work it is for; two calls with one name give two places.
   * @returns  The path of a folder that is there, or a URI to `uploadArtifact` to.
   */
  stage(name: string): Promise<string>;
  /**
   * Verifies what was staged and makes it the artifact, in one step: a reader sees the old one, none, or the whole new one.
   *
   * @throws SublaceError as `publishDirectory`; CONFLICT when somebody else published here meanwhile.
   */
  publish(staging: string, options: PublishOptions): Promise<ArtifactManifest>;
  /** Removes what was staged and will not be published; what is gone already is fine. */
  discard(staging: string): Promise<void>;
  /** Removes what a killed process left; nobody else may be publishing here now. */
  recover(): Promise<void>;
  /** The manifest of what is published. */
  readManifest(options: ReadManifestOptions): Promise<ArtifactManifest>;
}

/**
 * The place that an output names.
 *
 * @param output  An absolute path, or `s3://BUCKET/PATH`.
 * @returns  The place; nothing is read or written yet.
 * @throws SublaceError INVALID_ARGUMENT when it is neither.
 */
export function openOutput(output: string): Output {
  if (isS3Uri(output)) return new BucketOutput(output);
  if (isAbsolute(output)) return new DirectoryOutput(output);
  throw new SublaceError('INVALID_ARGUMENT', `output: expected an absolute path or s3://BUCKET/PATH, got ${JSON.stringify(output)}`);
}

/**
 * Something inside an artifact, or beside it.
 *
 * @param place  A path or an `s3://` URI.
 * @param name  What comes below it.
 * @returns  Path or URI.
 */
export function joinPlace(place: string, name: string): string {
  if (!isS3Uri(place)) return join(place, name);
  const location = parseS3Uri(place);
  return formatS3Uri({ ...location, prefix: location.prefix === '' ? name : `${location.prefix}/${name}` });
}

/**
 * Reads and checks the manifest of an artifact in a folder or in a bucket.
 *
 * @param place  Path of the folder, or `s3://BUCKET/PATH`.
 * @param options  Expected kind and newest known layout.
 * @returns  The manifest, with every field that its kind added.
 * @throws SublaceError NOT_FOUND when there is none, DATA_INVALID when it is not a manifest of the expected kind; that of the store.
 */
export function readManifestAt(place: string, options: ReadManifestOptions = {}): Promise<ArtifactManifest> {
  return isS3Uri(place) ? readBucketManifest(place, options) : readManifest(place, options);
}

class DirectoryOutput implements Output {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  check(options: WritableOptions): Promise<void> {
    return checkWritable(this.#path, options);
  }

  stage(): Promise<string> {
    return stageDirectory(this.#path);
  }

  publish(staging: string, options: PublishOptions): Promise<ArtifactManifest> {
    return publishDirectory(staging, this.#path, options);
  }

  discard(staging: string): Promise<void> {
    return discardStaging(staging);
  }

  recover(): Promise<void> {
    return recoverOutput(this.#path);
  }

  readManifest(options: ReadManifestOptions): Promise<ArtifactManifest> {
    return readManifest(this.#path, options);
  }
}
