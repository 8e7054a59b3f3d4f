-- Frees the shards whose leases have expired, each counting as an attempt.
--
-- ARGV[2..]: now, ms of the coordinator's clock; attempts at one shard.
-- Reply: 'accepted'.
-- Guarantee: Redis's own clock has no part in it.

local expired = redis.call('ZRANGEBYSCORE', prefix .. 'deadlines', '-inf', ARGV[2])
table.sort(expired, function(a, b) return tonumber(a) < tonumber(b) end)
for _, token in ipairs(expired) do
  -- An earlier one in this very loop may have ended the job.
  local text = redis.call('HGET', prefix .. 'leases', token)
  if text then
    touch()
    local lease = parseLease(token, text)
    loseLease(lease, 'UNAVAILABLE', 'lease of worker ' .. lease.workerId .. ' expired', true, tonumber(ARGV[3]))
  end
end
return reply('accepted')
