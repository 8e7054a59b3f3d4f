export { SublaceClientError, type ClientErrorCode, type ClientErrorDetails } from './client-error.ts';
export type { BodyCoding } from './http/compress-body.ts';
export type { CallOptions, ClientOptions } from './http/http-caller.ts';
export type { RetryPolicy } from './http/retry-policy.ts';
export { InferenceClient, type VersionOptions } from './protocol/inference-client.ts';
export type { InferRequest } from './protocol/infer-messages.ts';
export { InferResult } from './protocol/infer-result.ts';
export type {
  BatchStatistics,
  DurationStatistic,
  ModelMetadata,
  ModelStatistics,
  RepositoryEntry,
  ServerMetadata,
  TensorMetadata,
} from './protocol/metadata.ts';
export type { DataOf, Datatype, TensorData } from './tensors/datatypes.ts';
export {
  stringsOf,
  type AnyTensor,
  type InputData,
  type InputTensor,
  type ParameterValue,
  type Parameters,
  type Tensor,
} from './tensors/tensor.ts';
export { SublaceClient } from './sublace-client.ts';
export type { Answered, TaskOptions } from './tasks/ask.ts';
export {
  topClass,
  type Classification,
  type ClassificationValues,
  type ClassifyOptions,
  type DefaultClassificationValue,
  type Link,
} from './tasks/classify.ts';
export type { Examples } from './tasks/examples.ts';
export type { FunctionSamples, FunctionSamplesOptions, JointCovariance } from './tasks/joint.ts';
export type { RegressedExample, Regression, RegressOptions } from './tasks/regress.ts';
