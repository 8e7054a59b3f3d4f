-- Keeps the lock of the coordinator that owns the namespace; sets it again where it expired or was lost and nobody took over.
--
-- ARGV[2..]: description of the coordinator, JSON; how long the lock lasts, ms.
-- Reply: 'accepted'.

redis.call('SET', prefix .. 'leader', ARGV[2], 'PX', ARGV[3])
return reply('accepted')
