/** The Open Inference Protocol v2 over gRPC: its service definition, a client, and the types of its messages; and server reflection. */
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { GRPCInferenceServiceClient, GRPCInferenceServiceDefinition } from './generated/inference/GRPCInferenceService.ts';
import type { ServerReflectionDefinition } from './generated/grpc/reflection/v1/ServerReflection.ts';
import type { ProtoGrpcType as InferenceTypes } from './generated/open_inference.ts';
import type { ProtoGrpcType as ReflectionTypes } from './generated/reflection.ts';

// int64 as number: shapes and sizes beyond 2^53 are refused anyway. Absent fields get their proto3 defaults.
const files = ['inference/open_inference.proto', 'grpc/reflection/v1/reflection.proto'];
const includeDirs = [fileURLToPath(new URL('../../../proto', import.meta.url))];
const definition = loadSync(files, { includeDirs, longs: Number, enums: String, defaults: true, oneofs: true });
const root = loadPackageDefinition(definition) as unknown as InferenceTypes & ReflectionTypes;

/** Client of `inference.GRPCInferenceService`: `new InferenceClient(address, credentials)`. */
export const InferenceClient = root.inference.GRPCInferenceService;

/** Definition of `inference.GRPCInferenceService`, for a server's `addService`. */
export const inferenceService: GRPCInferenceServiceDefinition = InferenceClient.service;

/** Definition of `grpc.reflection.v1.ServerReflection`, for a server's `addService`. */
export const reflectionService: ServerReflectionDefinition = root.grpc.reflection.v1.ServerReflection.service;

/**
 * Descriptors of the files behind both services, for reflection: with the names of fields as the .proto files have them.
 *
 * @returns  Serialised FileDescriptorProto, one for each package.
 */
export function inferenceFileDescriptors(): Buffer[] {
  const named = loadSync(files, { includeDirs, keepCase: true });
  return (named['inference.ModelInferRequest'] as MessageTypeDefinition<object, object>).fileDescriptorProtos;
}

/**
 * A client of a serving process, over plaintext.
 *
 * @param address  `host:port`.
 * @returns  One method for each call; the caller closes it.
 */
export function openInferenceClient(address: string): GRPCInferenceServiceClient {
  // Answers may be as large as the server makes them; the runtime's default is 4 MiB.
  return new InferenceClient(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
}

export type { GRPCInferenceServiceClient, GRPCInferenceServiceHandlers } from './generated/inference/GRPCInferenceService.ts';
export type { InferParameter__Output as InferParameter } from './generated/inference/InferParameter.ts';
export type { InferTensorContents__Output as InferTensorContents } from './generated/inference/InferTensorContents.ts';
export type {
  ModelInferRequest as ModelInferRequestInit,
  ModelInferRequest__Output as ModelInferRequest,
} from './generated/inference/ModelInferRequest.ts';
export type {
  ModelInferResponse as ModelInferResponseInit,
  ModelInferResponse__Output as ModelInferResponse,
} from './generated/inference/ModelInferResponse.ts';
export type { ModelConfig } from './generated/inference/ModelConfig.ts';
export type { ModelStatistics } from './generated/inference/ModelStatistics.ts';
export type { RepositoryModelLoadRequest__Output as RepositoryModelLoadRequest } from './generated/inference/RepositoryModelLoadRequest.ts';
export type { ServerReflectionHandlers } from './generated/grpc/reflection/v1/ServerReflection.ts';
export type { ServerReflectionRequest__Output as ServerReflectionRequest } from './generated/grpc/reflection/v1/ServerReflectionRequest.ts';
export type { ServerReflectionResponse as ServerReflectionResponseInit } from './generated/grpc/reflection/v1/ServerReflectionResponse.ts';
