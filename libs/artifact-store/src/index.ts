export { checkWritable, type WritableOptions } from './check-writable.ts';
export { describeFile, sha256OfBytes, sha256OfFile } from './digest.ts';
export { checkFiles, MANIFEST_NAME, readManifest, type ArtifactFile, type ArtifactManifest, type ReadManifestOptions } from './manifest.ts';
export {
  discardStaging,
  isSameList,
  publishDirectory,
  recoverOutput,
  stageDirectory,
  writeManifest,
  type PublishOptions,
} from './publish.ts';
export { openVerifiedFile, readVerifiedFile, verifyFiles } from './verify.ts';
export type { ByteRange, ListedObject, ObjectHead, ObjectStore, PutOptions } from './object-store/object-store.ts';
export { openObjectStore } from './object-store/open-object-store.ts';
export { formatS3Uri, isS3Uri, parseS3Uri, type S3Location } from './object-store/s3/s3-uri.ts';
export { cachedArtifact } from './bucket/artifact-cache.ts';
export { localArtifact } from './bucket/local-artifact.ts';
export { uploadArtifact } from './bucket/upload-artifact.ts';
export { joinPlace, openOutput, readManifestAt, type Output } from './output.ts';
export { checkName as checkRegistryName } from './registry/check-names.ts';
export { openRegistry } from './registry/open-registry.ts';
export type { OnLook, Pointers, RegisteredVersion, Registry, SetPointerOptions, VersionInput, WatchOptions } from './registry/registry.ts';
