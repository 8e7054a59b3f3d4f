/**
 * What a call does, which decides who may make it: `page` files that hold nothing secret; `health` for probes; `metadata` what is served and how it fares;
 * `inference`; `admin` everything that changes something, and everything that is not known to be harmless.
 */
export type CallKind = 'page' | 'health' | 'metadata' | 'inference' | 'admin';

/**
 * What a REST call does.
 *
 * @param method  GET, POST, ...
 * @param route  Pattern of the route that it was matched with, never the path that was sent; undefined when it was matched with none, and is answered 404.
 * @returns  Its kind.
 */
export function restCallKind(method: string, route: string | undefined): CallKind {
  if (route === undefined) return 'page';
  const isRead = method === 'GET' || method === 'HEAD';
  if (isRead && (route.startsWith('/v2/health/') || /^\/v2\/models\/.+\/ready$/.test(route))) return 'health';
  if (method === 'POST' && /^\/v2\/models\/.+\/infer$/.test(route)) return 'inference';
  if (route.startsWith('/v2/repository/')) return 'admin';
  if (isRead && (route === '/metrics' || route === '/v2' || route.startsWith('/v2/') || route.startsWith('/sublace/v1/')))
    return 'metadata';
  if (isRead && (route === '/' || route === '/*' || route.startsWith('/assets/'))) return 'page';
  return 'admin';
}

const grpcKinds: Readonly<Record<string, CallKind>> = {
  ServerLive: 'health',
  ServerReady: 'health',
  ModelReady: 'health',
  ServerMetadata: 'metadata',
  ModelMetadata: 'metadata',
  ModelConfig: 'metadata',
  ModelStatistics: 'metadata',
  ModelInfer: 'inference',
  ModelStreamInfer: 'inference',
};

/**
 * What a gRPC call does.
 *
 * @param path  `/package.Service/Method`.
 * @returns  Its kind.
 */
export function grpcCallKind(path: string): CallKind {
  const [, service, method] = path.split('/');
  if (service === 'grpc.health.v1.Health') return 'health';
  if (service.startsWith('grpc.reflection.')) return 'metadata';
  return service === 'inference.GRPCInferenceService' && Object.hasOwn(grpcKinds, method) ? grpcKinds[method] : 'admin';
}
