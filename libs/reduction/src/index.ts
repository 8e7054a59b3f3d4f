export { JobSums } from './job-sums.ts';
export { basisOf, type SumBasis } from './sum-basis.ts';
export { ShardPuller, UnusableShard, type OfferedShard, type PullReport } from './shard-puller.ts';
export { SumsOfJobs, type CheckpointNote, type SumsOfJobsOptions } from './sums-of-jobs.ts';
export { slotOfBlock } from './slot-of-block.ts';
