-- Lets the owner of a namespace go on after its connection broke, and tells it what Redis has lost meanwhile.
--
-- ARGV: id of the coordinator; description of it, JSON; how long the lock lasts, ms; its epoch; its last session; its next session;
--   the last revision, and the highest token, that it knows of; the expiry of every lease from now on.
-- Reply: {'fenced', description of the holder or ''}: another coordinator owns the namespace.
--        {'same', revision}: nothing happened that the owner does not know.
--        {'ahead', revision}: changes were made whose replies were lost.
--        {'lost', revision}: changes that the owner knows of are gone. Leases are void, not counting as attempts, and tokens jump beyond all.
-- Guarantee: leases survive a break in which nothing was lost, and nobody loses one because renewals could not be written.

local id, description, lockMs, epoch, last, following, known, highest, deadline = unpack(ARGV)
local leader = prefix .. 'leader'
local storedEpoch, stored = unpack(redis.call('HMGET', meta, 'epoch', 'session'))
storedEpoch, epoch = tonumber(storedEpoch or 0), tonumber(epoch)
local owner = stored and string.match(stored, '^%d+:([^:]+):')
if storedEpoch > epoch or (storedEpoch == epoch and owner ~= id) then
  return { 'fenced', redis.call('GET', leader) or '' }
end
local found = tonumber(redis.call('HGET', meta, 'revision') or 0)
local status = found == tonumber(known) and 'same' or 'ahead'
if stored ~= last or found < tonumber(known) then
  status = 'lost'
end
touch()
redis.call('SET', leader, description, 'PX', lockMs)
redis.call('HSET', meta, 'epoch', epoch, 'session', following)
if status == 'lost' then
  voidLeases('Redis lost its last changes')
  local token = math.max(tonumber(redis.call('HGET', meta, 'lastToken') or 0), tonumber(highest))
  redis.call('HSET', meta, 'lastToken', string.format('%d', token + TOKEN_GAP))
else
  for _, lease in ipairs(allLeases()) do
    redis.call('ZADD', prefix .. 'deadlines', 'GT', deadline, string.format('%d', lease.token))
  end
end
return { status, revision }
