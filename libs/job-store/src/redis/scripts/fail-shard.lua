-- A shard could not be computed: another attempt, or the end of its job.
--
-- ARGV[2..]: job id, phase, shard, token; code; message; '1' when another attempt may succeed; attempts at one shard.
-- Reply: 'accepted'; 'duplicate' when the shard is done with this token; 'fenced', job state, current token; 'unknownJob'.
-- Guarantee: an attempt counts once; a shard that has used up its attempts fails its job by name.

local lease, refusal = currentLease(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if not lease then
  return refusal
end
touch()
loseLease(lease, ARGV[6], ARGV[7], ARGV[8] == '1', tonumber(ARGV[9]))
return reply('accepted')
