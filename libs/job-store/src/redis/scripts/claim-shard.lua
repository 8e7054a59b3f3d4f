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
local function readEntry()
  local delivered = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', 1, 'STREAMS', queue, '>')
  return delivered and delivered[1][2][1][1]
end

local function nextEntry()
  local returned = redis.call('XPENDING', queue, GROUP, '-', '+', 1, RETURNED)[1]
  if returned then
    redis.call('XCLAIM', queue, GROUP, consumer, 0, returned[1], 'JUSTID')
    return returned[1]
  end
  local entry = readEntry()
  if entry then
    return entry
  end
  fillQueue(id, phase, QUEUED_AT_ONCE)
  return readEntry()
end

-- An entry that somebody had delivered again, of a shard that is done or leased, goes back to where it belongs.
local function putBack(entry, shard)
  local held = shard.state == 'leased' and redis.call('HGET', prefix .. 'leases', string.format('%d', shard.token))
  if held then
    redis.call('XCLAIM', queue, GROUP, 'worker:' .. parseLease(shard.token, held).workerId, 0, entry, 'JUSTID')
  else
    redis.call('XACK', queue, GROUP, entry)
  end
end

local index, shard
repeat
  local entry = nextEntry()
  if not entry then
    return reply('idle')
  end
  index = tonumber(string.match(entry, '^%d+')) - 1
  shard = readShard(id, phase, index)
  if shard.state ~= 'pending' then
    putBack(entry, shard)
  end
until shard.state == 'pending'

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
