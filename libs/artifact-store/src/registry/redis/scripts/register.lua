-- Gives an artifact the next version of a name, or the one that its digest has.
-- KEYS[1]  hash: version of each digest
-- KEYS[2]  list: each version as JSON, the first at index 0
-- KEYS[3]  set of names
-- ARGV[1]  digest
-- ARGV[2]  the version as JSON, without its number
-- ARGV[3]  name
-- Returns {version, JSON without the number}.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  return { tonumber(known), redis.call('LINDEX', KEYS[2], tonumber(known) - 1) }
end
local version = redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], version)
redis.call('SADD', KEYS[3], ARGV[3])
return { version, ARGV[2] }
