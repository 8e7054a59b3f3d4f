-- A worker is gone: its leases are free again, each counting as an attempt.
--
-- ARGV[2..]: worker id; reason; attempts at one shard.
-- Reply: 'accepted'.

for _, lease in ipairs(allLeases()) do
  if lease.workerId == ARGV[2] and redis.call('HEXISTS', prefix .. 'leases', string.format('%d', lease.token)) == 1 then
    touch()
    loseLease(lease, 'UNAVAILABLE', ARGV[3], true, tonumber(ARGV[4]))
  end
end
return reply('accepted')
