-- Results of a phase were lost: it starts again, entirely or for the shards that were lost.
--
-- ARGV[2..]: job id; phase; 'all', or 'some' followed by shards.
-- Reply: 'accepted'; 'unknownJob'.
-- Guarantee: a phase that the job has not reached, and a job that has ended, stay as they are; so does a phase of which nothing was lost.

local id, phase = ARGV[2], ARGV[3]
local state, running = readJob(id, 'state', 'phase')
if not state then
  return reply('unknownJob')
end
if isFinal(state) or RANK[phase] > RANK[running] then
  return reply('accepted')
end

-- Shards of `some` that are done, each once.
local function lostShards(count)
  local lost, seen = {}, {}
  for i = 5, #ARGV do
    local index = tonumber(ARGV[i])
    if not seen[index] and index < count and readShard(id, phase, index).state == 'done' then
      lost[#lost + 1] = index
    end
    seen[index] = true
  end
  return lost
end

local shards, summaries = partKey(id, phase, 'shards'), partKey(id, phase, 'summaries')
local count = shardCountOf(id, phase) or 1
local lost = ARGV[4] == 'some' and lostShards(count)
if lost and #lost == 0 then
  return reply('accepted')
end
touch()

if lost and phase == running then
  for _, index in ipairs(lost) do
    redis.call('HDEL', shards, index)
    redis.call('HDEL', summaries, index)
    returnEntry(id, phase, index)
    redis.call('HINCRBY', jobKey(id), 'shardsDone', -1)
    addPending(id, 1)
    noteShard(id, phase, index, parseShard(nil), nil, 'its result was lost with a reducer')
  end
  return reply('accepted')
end

dropLeases(id)
for rank = RANK[phase] + (lost and 1 or 0), #PHASES do
  redis.call('UNLINK', partKey(id, PHASES[rank], 'shards'), partKey(id, PHASES[rank], 'summaries'))
end
if phase == 'plan' then
  redis.call('HDEL', jobKey(id), 'plannedShards')
end
if lost then
  for _, index in ipairs(lost) do
    redis.call('HDEL', shards, index)
    redis.call('HDEL', summaries, index)
  end
  local flat = redis.call('HGETALL', shards)
  for i = 1, #flat, 2 do
    local shard = parseShard(flat[i + 1])
    if shard.attempt ~= 1 or shard.failure ~= '' then
      shard.attempt, shard.failure = 1, ''
      writeShard(id, phase, flat[i], shard)
    end
  end
end
startPhase(id, phase, count, lost)
if state ~= 'queued' then
  setState(id, phase == 'finalise' and 'reducing' or 'running')
end
return reply('accepted')
