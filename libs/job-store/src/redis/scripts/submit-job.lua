-- Queues a job; it starts with its plan.
--
-- ARGV[2..]: job id; spec, JSON; priority, an integer; time of submission, ms.
-- Reply: 'accepted'.
-- Guarantee: a job that exists stays as it is.

local id, spec, priority, submittedAtMs = unpack(ARGV, 2)
if redis.call('EXISTS', jobKey(id)) == 1 then
  return reply('accepted')
end
touch()
local order = redis.call('HINCRBY', meta, 'jobCount', 1)
redis.call('RPUSH', prefix .. 'jobs', id)
redis.call('HSET', jobKey(id), 'spec', spec, 'priority', priority, 'order', order, 'submittedAtMs', submittedAtMs)
setState(id, 'queued')
startPhase(id, 'plan', 1)
return reply('accepted')
