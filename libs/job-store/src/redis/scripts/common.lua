-- Stands in front of every script: what they share. The rules are those of libs/scheduling; names and order follow it.
--
-- KEYS[1]  sublace:{namespace}:meta. Every other key is made from it, so all lie in one hash slot:
--   meta                      hash: session, epoch, revision, lastToken, jobCount
--   leader                    string: who owns the namespace; expires
--   jobs                      list: ids in the order of submission
--   claimable                 sorted set: open jobs with pending shards, the next one to serve first
--   leases                    hash: token -> job, phase, shard, worker
--   deadlines                 sorted set: token by expiry, in ms of the coordinator's clock
--   job:ID                    hash: spec, priority, order, submittedAtMs, state, phase, shardCount, shardsDone, pending, queued,
--                             plannedShards, failure
--   job:ID:PHASE:queue        stream with one consumer group: entry n+1 is shard n. Never delivered: pending. With consumer `returned`: pending
--                             again. With any other consumer: leased to that worker. Acknowledged: done. Deleted when the phase ends.
--                             Shards from `queued` on are pending and have no entry yet.
--   job:ID:PHASE:shards       hash: shard -> state, attempt, token, last failure; absent: pending, never leased
--   job:ID:PHASE:summaries    hash: shard -> JSON
--
-- Reply of every script: {status, revision, 1 when it wrote else 0, changes as JSON or '', more ...}. The revision grows by one with every
-- script that wrote. The write of the revision comes first: where Redis refuses writes (out of memory, read-only), nothing is half done.

local meta = KEYS[1]
local prefix = string.sub(meta, 1, -5)
local GROUP, RETURNED = 'workers', 'returned'
local PHASES = { 'plan', 'score', 'select', 'accumulate', 'finalise' }
local RANK = { plan = 1, score = 2, select = 3, accumulate = 4, finalise = 5 }
local TOKEN_GAP = 1000000
-- Entries that are written at a time: nobody else is served meanwhile.
local QUEUED_AT_ONCE = 1000

local changes = {}
local revision

local function touch()
  if not revision then
    revision = redis.call('HINCRBY', meta, 'revision', 1)
  end
end

local function reply(status, ...)
  local current = revision or tonumber(redis.call('HGET', meta, 'revision') or 0)
  return { status, current, revision and 1 or 0, #changes > 0 and cjson.encode(changes) or '', ... }
end

local function note(change)
  changes[#changes + 1] = change
end

local function jobKey(id)
  return prefix .. 'job:' .. id
end

local function partKey(id, phase, part)
  return jobKey(id) .. ':' .. phase .. ':' .. part
end

local function entryOf(index)
  return string.format('%d-0', index + 1)
end

local function readJob(id, ...)
  return unpack(redis.call('HMGET', jobKey(id), ...))
end

local function isFinal(state)
  return state == 'succeeded' or state == 'failed' or state == 'cancelled'
end

local function parseShard(text)
  if not text then
    return { state = 'pending', attempt = 0, token = 0, failure = '' }
  end
  local state, attempt, token, failure = string.match(text, '^(%a+) (%d+) (%d+) (.*)$')
  return { state = state, attempt = tonumber(attempt), token = tonumber(token), failure = failure }
end

local function readShard(id, phase, index)
  return parseShard(redis.call('HGET', partKey(id, phase, 'shards'), index))
end

local function writeShard(id, phase, index, shard)
  local text = string.format('%s %d %d ', shard.state, shard.attempt, shard.token) .. shard.failure
  redis.call('HSET', partKey(id, phase, 'shards'), index, text)
end

local function noteShard(id, phase, index, shard, workerId, reason)
  note({
    type = 'shardChanged', jobId = id, phase = phase, shard = index, state = shard.state, attempt = shard.attempt,
    leaseToken = shard.token, workerId = workerId, reason = reason,
  })
end

local function parseLease(token, text)
  local id, phase, index, workerId = string.match(text, '^(%S+) (%a+) (%d+) (.*)$')
  return { id = id, phase = phase, index = tonumber(index), token = tonumber(token), workerId = workerId }
end

-- Every lease that is held, in the order in which they were given.
local function allLeases()
  local leases = {}
  local flat = redis.call('HGETALL', prefix .. 'leases')
  for i = 1, #flat, 2 do
    leases[#leases + 1] = parseLease(flat[i], flat[i + 1])
  end
  table.sort(leases, function(a, b) return a.token < b.token end)
  return leases
end

local function deleteLease(token)
  local member = string.format('%d', token)
  redis.call('ZREM', prefix .. 'deadlines', member)
  return redis.call('HDEL', prefix .. 'leases', member) == 1
end

-- Whether a job is offered to workers: as long as it has pending shards. Equal priorities are sorted by the order of submission.
local function offer(id, isOffered)
  local order, priority = readJob(id, 'order', 'priority')
  local member = string.format('%016d:', order) .. id
  if isOffered then
    redis.call('ZADD', prefix .. 'claimable', -tonumber(priority), member)
  else
    redis.call('ZREM', prefix .. 'claimable', member)
  end
end

local function addPending(id, count)
  local pending = redis.call('HINCRBY', jobKey(id), 'pending', count)
  if pending == 0 then
    offer(id, false)
  elseif pending == count then
    offer(id, true)
  end
end

-- Puts a shard's entry, which another consumer has or which was acknowledged, where the next claim looks first.
local function returnEntry(id, phase, index)
  redis.call('XCLAIM', partKey(id, phase, 'queue'), GROUP, RETURNED, 0, entryOf(index), 'FORCE', 'JUSTID')
end

local function setState(id, state)
  local before, failure = readJob(id, 'state', 'failure')
  if before == state then
    return
  end
  redis.call('HSET', jobKey(id), 'state', state)
  note({ type = 'jobChanged', jobId = id, state = state, failure = failure and cjson.decode(failure) or nil })
end

-- Leases of a job that ends or goes back are void; their shards are pending without a word.
local function dropLeases(id)
  for _, lease in ipairs(allLeases()) do
    if lease.id == id then
      deleteLease(lease.token)
      local shard = readShard(id, lease.phase, lease.index)
      shard.state = 'pending'
      writeShard(id, lease.phase, lease.index, shard)
    end
  end
end

local function endJob(id, state, failure)
  local before, phase = readJob(id, 'state', 'phase')
  if isFinal(before) then
    return
  end
  dropLeases(id)
  if failure then
    redis.call('HSET', jobKey(id), 'failure', cjson.encode(failure))
  end
  offer(id, false)
  redis.call('UNLINK', partKey(id, phase, 'queue'))
  setState(id, state)
end

-- Writes the next entries of the queue.
local function fillQueue(id, phase, count)
  local queued, shardCount = readJob(id, 'queued', 'shardCount')
  local first, last = tonumber(queued), math.min(queued + count, shardCount) - 1
  local queue = partKey(id, phase, 'queue')
  for index = first, last do
    redis.call('XADD', queue, entryOf(index), 's', index)
  end
  redis.call('HSET', jobKey(id), 'queued', last + 1)
end

-- Starts a phase: all of its shards are pending, or with a list `lost` only those.
local function startPhase(id, phase, count, lost)
  local queue = partKey(id, phase, 'queue')
  local before = readJob(id, 'phase')
  redis.call('UNLINK', queue, partKey(id, before or phase, 'queue'))
  local pending = lost and #lost or count
  redis.call('HSET', jobKey(id), 'phase', phase, 'shardCount', count, 'shardsDone', count - pending, 'pending', pending, 'queued', 0)
  -- Those that stay done need entries too: their results may be lost as well.
  fillQueue(id, phase, lost and count or QUEUED_AT_ONCE)
  redis.call('XGROUP', 'CREATE', queue, GROUP, lost and '$' or '0')
  for _, index in ipairs(lost or {}) do
    returnEntry(id, phase, index)
  end
  offer(id, true)
  note({ type = 'phaseStarted', jobId = id, phase = phase, shardCount = count, shardsDone = pending < count and count - pending or nil })
end

-- The plan fixes the shards of the phases over the data; the other phases are one task each.
local function shardCountOf(id, phase)
  if phase == 'score' or phase == 'accumulate' then
    return tonumber(readJob(id, 'plannedShards') or nil)
  end
  return 1
end

local function requeue(lease, shard, reason)
  deleteLease(lease.token)
  shard.state = 'pending'
  writeShard(lease.id, lease.phase, lease.index, shard)
  returnEntry(lease.id, lease.phase, lease.index)
  addPending(lease.id, 1)
  noteShard(lease.id, lease.phase, lease.index, shard, lease.workerId, reason)
end

-- A lease ended badly: another attempt, or the end of the job.
local function loseLease(lease, code, message, isRetryable, attemptsMax)
  local shard = readShard(lease.id, lease.phase, lease.index)
  shard.failure = message
  if isRetryable and shard.attempt < attemptsMax then
    requeue(lease, shard, message)
    return
  end
  deleteLease(lease.token)
  shard.state = 'failed'
  writeShard(lease.id, lease.phase, lease.index, shard)
  noteShard(lease.id, lease.phase, lease.index, shard, lease.workerId, message)
  local where = lease.phase .. ' shard ' .. lease.index
  local text = message
  if isRetryable then
    text = where .. ': gave up after ' .. shard.attempt .. ' attempts; the last one: ' .. message
  elseif tonumber(readJob(lease.id, 'shardCount')) > 1 then
    text = message .. ' (' .. where .. ')'
  end
  endJob(lease.id, 'failed', { code = code, message = text, phase = lease.phase, shard = lease.index })
end

-- Ends every lease as if it had never been given: the scheduler itself was away, no shard is to blame.
local function voidLeases(reason)
  for _, lease in ipairs(allLeases()) do
    local shard = readShard(lease.id, lease.phase, lease.index)
    shard.attempt = shard.attempt - 1
    requeue(lease, shard, reason)
  end
end

-- The lease that a reference names if it is current; else nil and the script's reply.
local function currentLease(id, phase, index, token)
  index, token = tonumber(index), tonumber(token)
  local text = redis.call('HGET', prefix .. 'leases', string.format('%d', token))
  local lease = text and parseLease(token, text)
  if lease and lease.id == id and lease.phase == phase and lease.index == index then
    return lease
  end
  local state, running, count = readJob(id, 'state', 'phase', 'shardCount')
  if not state then
    return nil, reply('unknownJob')
  end
  local shard = readShard(id, phase, index)
  if shard.state == 'done' and shard.token == token then
    return nil, reply('duplicate')
  end
  local isKnown = shard.state == 'done'
  if phase == running then
    isKnown = index < tonumber(count)
  end
  return nil, reply('fenced', state, isKnown and string.format('%d', shard.token) or 'none')
end
