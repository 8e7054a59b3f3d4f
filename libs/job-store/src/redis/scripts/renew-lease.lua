-- Extends a lease; also when its shard is computed and waits to be pulled.
--
-- ARGV[2..]: job id, phase, shard, token; new expiry, ms of the coordinator's clock.
-- Reply: 'renewed'; 'duplicate' when the shard is done with this token; 'fenced', job state, current token; 'unknownJob'.
-- Guarantee: only the holder of the current lease extends it.

local lease, refusal = currentLease(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if not lease then
  return refusal
end
touch()
redis.call('ZADD', prefix .. 'deadlines', ARGV[6], string.format('%d', lease.token))
return reply('renewed')
