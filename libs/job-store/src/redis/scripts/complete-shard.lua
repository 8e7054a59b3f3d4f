-- Commits the result of a shard; the last one of a phase starts the next phase.
--
-- ARGV[2..]: job id, phase, shard, token; summary, JSON; in phase plan the number of shards that it lists, '' when it lists none.
-- Reply: 'accepted'; 'duplicate' when the shard is done with this token; 'fenced', job state, current token; 'unknownJob'.
-- Guarantee: a shard is done once, by the holder of its current lease.

local summary, planned = ARGV[6], ARGV[7]
local lease, refusal = currentLease(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if not lease then
  return refusal
end
touch()
local id, phase = lease.id, lease.phase
deleteLease(lease.token)
local shard = readShard(id, phase, lease.index)
shard.state = 'done'
writeShard(id, phase, lease.index, shard)
redis.call('HSET', partKey(id, phase, 'summaries'), lease.index, summary)
redis.call('XACK', partKey(id, phase, 'queue'), GROUP, entryOf(lease.index))
local done = redis.call('HINCRBY', jobKey(id), 'shardsDone', 1)
noteShard(id, phase, lease.index, shard, lease.workerId)
if phase == 'plan' and planned ~= '' then
  redis.call('HSET', jobKey(id), 'plannedShards', planned)
end
if done < tonumber(readJob(id, 'shardCount')) then
  return reply('accepted')
end

local following = PHASES[RANK[phase] + 1]
if not following then
  note({ type = 'jobFinalised', jobId = id, leaseToken = readShard(id, phase, 0).token })
  return reply('accepted')
end
local count = shardCountOf(id, following)
if count then
  startPhase(id, following, count)
  if following == 'finalise' then
    setState(id, 'reducing')
  end
else
  local message = 'plan: expected a non-empty list `shards` in its summary, got none; the task runner and the coordinator disagree'
  endJob(id, 'failed', { code = 'INVALID_ARGUMENT', message = message, phase = 'plan', shard = 0 })
end
return reply('accepted')
