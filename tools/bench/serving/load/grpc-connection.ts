import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { OK, type LoadConnection } from './connection.ts';

const asItIs = (bytes: Buffer): Buffer => bytes;
const noMetadata = new Metadata();

/** A gRPC channel of its own, with the client library that users have; messages are bytes made beforehand, and answers are not parsed. */
export class GrpcConnection implements LoadConnection {
  readonly #client: Client;

  /**
   * @param port  Of the server, on this machine.
   */
  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      // Else all clients of a process share one connection.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 200,
      // A channel sends and asks once; what fails is counted.
      'grpc.enable_retries': 0,
    });
  }

  send(body: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest('/inference.GRPCInferenceService/ModelInfer', asItIs, asItIs, body, noMetadata, {}, (error) =>
        resolve(error ? status[error.code] : OK),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}
