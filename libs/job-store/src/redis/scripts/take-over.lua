-- Makes a coordinator the owner of a namespace.
--
-- ARGV: id of the coordinator; description of it, JSON with that id; how long the lock lasts, ms.
-- Reply: {'taken', epoch, session}, or {'held', description of the holder, ms until its lock expires}.
-- Guarantee: one epoch has one owner, and a later owner has a higher one. Leases are void, not counting as attempts, and tokens jump beyond
--   any that was given and may have been lost by Redis.

local leader = prefix .. 'leader'
local holder = redis.call('GET', leader)
if holder and cjson.decode(holder).id ~= ARGV[1] then
  return { 'held', holder, redis.call('PTTL', leader) }
end
touch()
redis.call('SET', leader, ARGV[2], 'PX', ARGV[3])
local epoch = redis.call('HINCRBY', meta, 'epoch', 1)
local session = string.format('%d:', epoch) .. ARGV[1] .. ':1'
redis.call('HSET', meta, 'session', session)
if tonumber(redis.call('HGET', meta, 'jobCount') or 0) > 0 then
  voidLeases('the coordinator was restarted')
  redis.call('HINCRBY', meta, 'lastToken', TOKEN_GAP)
end
return { 'taken', epoch, session }
