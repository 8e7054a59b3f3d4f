-- Gives up the lock, so that the next coordinator need not wait for its end.
--
-- Reply: 'accepted'.

redis.call('DEL', prefix .. 'leader')
return reply('accepted')
