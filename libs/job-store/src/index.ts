export type { JobStore, JobView } from './job-store.ts';
export { openEmbeddedJobStore, type EmbeddedJobStoreOptions } from './embedded/embedded-job-store.ts';
