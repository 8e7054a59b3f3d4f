-- Hands a lease back as if it had never been given.
--
-- ARGV[2..]: job id, phase, shard, token.
-- Reply: 'accepted'; 'duplicate' when the shard is done with this token; 'fenced', job state, current token; 'unknownJob'.
-- Guarantee: not an attempt.

local lease, refusal = currentLease(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if not lease then
  return refusal
end
touch()
local shard = readShard(lease.id, lease.phase, lease.index)
shard.attempt = shard.attempt - 1
requeue(lease, shard, 'handed back')
return reply('accepted')
