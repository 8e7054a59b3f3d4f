import { readFileSync } from 'node:fs';

/** A call by REST, byte for byte. */
export interface RecordedHttpRequest {
  readonly client: string;
  readonly call: string;
  /** Request line and headers. */
  readonly head: readonly string[];
  /** Hexadecimal. */
  readonly body: string;
}

/** A call by gRPC, byte for byte. */
export interface RecordedGrpcRequest {
  readonly client: string;
  readonly call: string;
  /** Of `inference.GRPCInferenceService`. */
  readonly method: string;
  /** Serialised request, hexadecimal. */
  readonly message: string;
}

/**
 * What standard clients send for every call they have, about the model `linear` with the input [[1, 0.5, -1], [1, 2, 3]]: recorded from
 * tritonclient 2.73.0 and kserve 0.21.0 (PyPI), HTTP by a socket that answers anything, gRPC from the messages that their request builders make.
 */
export const clientRequests = JSON.parse(readFileSync(new URL('client-requests.json', import.meta.url), 'utf8')) as {
  readonly http: readonly RecordedHttpRequest[];
  readonly grpc: readonly RecordedGrpcRequest[];
};
