-- The posterior of a job whose phases are all done is in its place: the job has succeeded.
--
-- ARGV[2..]: job id.
-- Reply: 'accepted'; 'unknownJob'.
-- Guarantee: a job with shards to do, or one that has ended, stays as it is.

local id = ARGV[2]
local state, phase, count, done = readJob(id, 'state', 'phase', 'shardCount', 'shardsDone')
if not state then
  return reply('unknownJob')
end
if phase == 'finalise' and done == count and not isFinal(state) then
  touch()
  endJob(id, 'succeeded')
end
return reply('accepted')
