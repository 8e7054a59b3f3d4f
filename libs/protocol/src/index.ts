// For command lines and dashboards.
export { createCoordinatorClient, type CoordinatorClient, type JobOverview } from './coordinator-client.ts';
export type { HeldShard, LogLine, WorkerOverview } from './operations.ts';
export type { JobFailure, PhaseReport, ProgressEvent } from './progress-event.ts';
export type { ConnectOptions } from './channel.ts';

// For the roles of the cluster.
export { createWorkerClient, type ClaimedTask, type TaskInputs, type WorkerClient } from './worker-client.ts';
export { createReducerAttendance, type AttendingReducer, type ReducerAttendance } from './reducer-attendance.ts';
export { createReducerClient, type ReducedShard, type ReducerClient, type ReducerSlot, type ShardToReduce } from './reducer-client.ts';
export { createBlocksClient, type BlocksClient } from './blocks-client.ts';
export { createFactoriseClient, type FactoriseClient, type FactoriseOrder, type FactoriseReport } from './factorise-client.ts';
export { blocksService, leaseRefOf } from './blocks-service.ts';
export {
  implement,
  startServer,
  type CallContext,
  type HandlersOf,
  type RunningServer,
  type ServerOptions,
  type Service,
} from './server.ts';
export { toLogMessage, toWorkerMessage } from './operations.ts';
export { toProgressMessage } from './progress-event.ts';
export { LOADER_OPTIONS, PROTO_ROOT, services } from './definitions.ts';
export { ERROR_CODE_KEY, fromStatus, toStatus } from './status.ts';
export { isLoopback } from './channel.ts';
export { parseJsonObject } from './request-limits.ts';
export { PROTOCOL_VERSION, PROTOCOL_VERSION_KEY } from './version.ts';
export { readTls, readToken, type Security, type Tls, type TlsFiles } from './security.ts';
