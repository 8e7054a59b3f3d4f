-- Ends a job that is not finished; its leases are void.
--
-- ARGV[2..]: job id; 'failed' or 'cancelled'; code; message.
-- Reply: 'accepted'; 'unknownJob'.
-- Guarantee: a job that has ended stays as it is.

local id, state = ARGV[2], ARGV[3]
local before = readJob(id, 'state')
if not before then
  return reply('unknownJob')
end
if not isFinal(before) then
  touch()
  endJob(id, state, { code = ARGV[4], message = ARGV[5] })
end
return reply('accepted')
