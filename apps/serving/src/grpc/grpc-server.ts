import { Server, ServerCredentials, type ServerInterceptor, type ServiceDefinition } from '@grpc/grpc-js';
import { inferenceFileDescriptors, inferenceService } from '@sublace/protocol/inference';
import { HealthImplementation, service as healthService, type ServingStatus } from 'grpc-health-check';
import type { InferenceService } from '../inference/run-inference.ts';
import type { ServingLog } from '../log.ts';
import { connectionListener } from './connection-listener.ts';
import { inferenceHandlers } from './inference-service.ts';
import { readingWithCare } from './malformed-message.ts';
import { reflectionServices } from './reflection.ts';
import { giveUpSlowRequests } from './slow-request.ts';

/** What the gRPC half of the server needs. */
export interface GrpcServerOptions {
  service: InferenceService;
  /** Limit of a request message. */
  bodyLimitBytes: number;
  /** Most connections at one time. Default 1,000. */
  connectionsMax?: number;
  /** How long a connection may leave a ping unanswered, milliseconds; a ping is sent each time that long has passed. Default 30,000. */
  keepAliveMs?: number;
  /** Until when the message of a call must be there, milliseconds. Default 60,000. */
  requestTimeoutMs?: number;
  log: ServingLog;
  /** What calls go through first. */
  interceptors?: ServerInterceptor[] | undefined;
  /** Certificates; plaintext when absent. */
  credentials?: ServerCredentials | undefined;
}

/** Calls that one connection may have under way. */
const concurrentStreamsMax = 1000;

/** For the last bytes of answers, once every call has been answered, milliseconds. */
const lastBytesMs = 1000;

/** The gRPC half of the server. */
export interface GrpcServer {
  /** Starts to listen; resolves to the port, rejects with what the runtime says. */
  listen(host: string, port: number): Promise<number>;
  /** Brings `grpc.health.v1` up to date with the models on offer: the service '' stands for the server, the others for models. */
  refreshHealth(): void;
  /** Ends: no new connections and calls; those under way may finish until the promise settles, and a moment longer; then connections are cut. */
  close(idle: Promise<unknown>): Promise<void>;
}

/**
 * The gRPC half of the Open Inference Protocol v2 and `grpc.health.v1`, not yet listening.
 *
 * @param options  Models, limit, log.
 * @returns  The caller listens and closes.
 */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const {
    service,
    bodyLimitBytes,
    connectionsMax = 1000,
    keepAliveMs = 30_000,
    requestTimeoutMs = 60_000,
    interceptors = [],
    log,
  } = options;
  const server = new Server({
    'grpc.max_receive_message_length': bodyLimitBytes,
    'grpc.max_send_message_length': -1, // an answer that was computed is an answer that is sent
    'grpc.max_concurrent_streams': concurrentStreamsMax,
    // A connection whose other end is gone, or never spoke HTTP/2, answers no ping.
    'grpc.keepalive_time_ms': keepAliveMs,
    'grpc.keepalive_timeout_ms': keepAliveMs,
    'grpc.enable_channelz': 0, // nobody reads it, and it counts every message
    interceptors: [...interceptors, giveUpSlowRequests(requestTimeoutMs)],
  });
  server.addService(readingWithCare(inferenceService as ServiceDefinition), { ...inferenceHandlers(service, log) });
  const health = new HealthImplementation();
  health.addToServer(server);
  const reflected = [inferenceService as ServiceDefinition, healthService as ServiceDefinition];
  for (const { definition, handlers } of reflectionServices(reflected, [...inferenceFileDescriptors(), ...healthFileDescriptors()]))
    server.addService(definition, handlers);
  const injector = server.createConnectionInjector(options.credentials ?? ServerCredentials.createInsecure());
  const listener = connectionListener({ connectionsMax }, (socket) => injector.injectConnection(socket));

  const { repository } = service;
  const told = new Map<string, ServingStatus>();
  const tell = (name: string, isReady: boolean): void => {
    const status = isReady ? 'SERVING' : 'NOT_SERVING';
    if (told.get(name) === status) return; // watchers are for changes
    told.set(name, status);
    health.setStatus(name, status);
  };
  const refreshHealth = (): void => {
    tell('', repository.isReady);
    for (const name of repository.names) tell(name, repository.isModelReady(name));
  };
  refreshHealth();

  return {
    refreshHealth,
    listen: (host, port) => listener.listen(host, port),
    close: (idle) =>
      new Promise((resolve) => {
        listener.close();
        // A client that watches the health never hangs up by itself.
        let timer: NodeJS.Timeout | undefined;
        const cut = (): void => {
          server.forceShutdown();
          listener.destroyConnections();
        };
        void idle.then(() => (timer = setTimeout(cut, lastBytesMs)));
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/** Descriptors of `grpc.health.v1`, which come with its messages. */
function healthFileDescriptors(): Buffer[] {
  const { requestType } = healthService['Check'] as unknown as { requestType: { fileDescriptorProtos: Buffer[] } };
  return requestType.fileDescriptorProtos;
}
