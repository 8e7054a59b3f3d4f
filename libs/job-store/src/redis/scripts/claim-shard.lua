-- Leases the first pending shard of the open job of the highest priority, among equals of the oldest.
--
-- ARGV[2..]: worker id; expiry of the lease, ms of the coordinator's clock.
-- Reply: 'leased', then job id, phase, shard, token, attempt; or 'idle'.
-- Guarantee: a shard has one lease at a time, and every lease a higher token than all before it.

local workerId, deadline = ARGV[2], ARGV[3]
local member = redis.call('ZRANGE', prefix .. 'claimable', 0, 0)[1]
if not member then
  return reply('idle')
end
touch()
local id = string.match(member, ':(.*)$')
local phase, state = readJob(id, 'phase', 'state')
local queue = partKey(id, phase, 'queue')
local consumer = 'worker:' .. workerId

-- Entries are delivered in order, so one that came back is always before those that were never delivered.
local entry
local returned = redis.call('XPENDING', queue, GROUP, '-', '+', 1, RETURNED)[1]
if returned then
  entry = returned[1]
  redis.call('XCLAIM', queue, GROUP, consumer, 0, entry, 'JUSTID')
else
  entry = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', 1, 'STREAMS', queue, '>')[1][2][1][1]
end
local index = tonumber(string.match(entry, '^%d+')) - 1

local shard = readShard(id, phase, index)
shard.state = 'leased'
shard.attempt = shard.attempt + 1
shard.token = redis.call('HINCRBY', meta, 'lastToken', 1)
writeShard(id, phase, index, shard)
local token = string.format('%d', shard.token)
redis.call('HSET', prefix .. 'leases', token, id .. ' ' .. phase .. ' ' .. index .. ' ' .. workerId)
redis.call('ZADD', prefix .. 'deadlines', deadline, token)
addPending(id, -1)
if state == 'queued' then
  setState(id, 'running')
end
noteShard(id, phase, index, shard, workerId)
return reply('leased', id, phase, index, shard.token, shard.attempt)
