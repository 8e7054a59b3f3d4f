export { createCoordinatorClient, type CoordinatorClient, type JobOverview } from './coordinator-client.ts';
export { toProgressMessage, type JobFailure, type PhaseReport, type ProgressEvent } from './progress-event.ts';
export { isLoopback, type ConnectOptions } from './channel.ts';
export { LOADER_OPTIONS, PROTO_ROOT, services } from './definitions.ts';
export { ERROR_CODE_KEY, fromStatus, toStatus } from './status.ts';
