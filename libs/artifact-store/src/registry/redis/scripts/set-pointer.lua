-- Lets a label stand for a version, or for none, if it stands for what is expected.
-- KEYS[1]  hash: version of each label, its share under 'LABEL:share', and the revision under the empty label
-- KEYS[2]  list of versions
-- ARGV[1]  label
-- ARGV[2]  version, or '' to remove the label
-- ARGV[3]  expected version, 'none', or '' for anything
-- ARGV[4]  channel to tell of the change
-- ARGV[5]  share of the traffic of the label, or '' to leave it
-- Returns the whole hash as it is then; 'NO_VERSION'; or {'CONFLICT', version or ''}.
local current = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] ~= '' and tonumber(ARGV[2]) > redis.call('LLEN', KEYS[2]) then
  return 'NO_VERSION'
end
if ARGV[3] ~= '' and ARGV[3] ~= (current or 'none') then
  return { 'CONFLICT', current or '' }
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1], ARGV[1] .. ':share')
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  if ARGV[5] ~= '' then
    redis.call('HSET', KEYS[1], ARGV[1] .. ':share', ARGV[5])
  end
end
redis.call('HINCRBY', KEYS[1], '', 1)
redis.call('PUBLISH', ARGV[4], ARGV[1])
return redis.call('HGETALL', KEYS[1])
