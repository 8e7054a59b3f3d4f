-- Stands behind common.lua in every script that changes jobs, shards or leases.
--
-- ARGV[1]  session: which connection of which coordinator this is.
-- Reply: {'stale', current session}, when another coordinator has taken over, or this one has reconnected since.
-- Guarantee: whoever lost the namespace, and whatever a broken connection still had under way, changes nothing.

local session = redis.call('HGET', meta, 'session')
if session ~= ARGV[1] then
  return { 'stale', session or '' }
end
