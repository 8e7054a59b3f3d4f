import { isIPv6 } from 'node:net';
import { Server, ServerCredentials, type ServerInterceptor } from '@grpc/grpc-js';
import { inferenceService } from '@sublace/protocol/inference';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';
import type { InferenceService } from '../inference/run-inference.ts';
import type { ServingLog } from '../log.ts';
import { inferenceHandlers } from './inference-service.ts';

/** What the gRPC half of the server needs. */
export interface GrpcServerOptions {
  service: InferenceService;
  /** Limit of a request message. */
  bodyLimitBytes: number;
  log: ServingLog;
  /** What calls go through first. */
  interceptors?: ServerInterceptor[] | undefined;
  /** Certificates; plaintext when absent. */
  credentials?: ServerCredentials | undefined;
}

/** The gRPC half of the server. */
export interface GrpcServer {
  /** Starts to listen; resolves to the port, rejects with what the runtime says. */
  listen(host: string, port: number): Promise<number>;
  /** Brings `grpc.health.v1` up to date with the models on offer: the service '' stands for the server, the others for models. */
  refreshHealth(): void;
  /** Ends: calls under way may finish within the given time, then connections are cut. */
  close(graceMs: number): Promise<void>;
}

/**
 * The gRPC half of the Open Inference Protocol v2 and `grpc.health.v1`, not yet listening.
 *
 * @param options  Models, limit, log.
 * @returns  The caller listens and closes.
 */
export function createGrpcServer({ service, bodyLimitBytes, log, interceptors = [], credentials }: GrpcServerOptions): GrpcServer {
  // Responses are not limited: an answer that was computed is an answer that is sent.
  const server = new Server({ 'grpc.max_receive_message_length': bodyLimitBytes, 'grpc.max_send_message_length': -1, interceptors });
  server.addService(inferenceService, inferenceHandlers(service, log));
  const health = new HealthImplementation();
  health.addToServer(server);

  const { repository } = service;
  const refreshHealth = (): void => {
    const statusOf = (isReady: boolean): ServingStatus => (isReady ? 'SERVING' : 'NOT_SERVING');
    health.setStatus('', statusOf(repository.isReady));
    for (const name of repository.names) health.setStatus(name, statusOf(repository.isModelReady(name)));
  };
  refreshHealth();

  return {
    refreshHealth,
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
        server.bindAsync(address, credentials ?? ServerCredentials.createInsecure(), (error, boundPort) =>
          error ? reject(error) : resolve(boundPort),
        );
      }),
    close: (graceMs) =>
      new Promise((resolve) => {
        // A client that watches the health never hangs up by itself.
        const timer = setTimeout(() => server.forceShutdown(), graceMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}
