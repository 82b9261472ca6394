-- Makes the catalogue's entries of one worker group exactly those given. An entry goes when no group offers it.
--
-- KEYS  1 the catalogue   2 the groups that have published   3 the names this group offers   4 the version
-- ARGV  1 group   2... task name and entry in turn
-- Returns the catalogue's version, or nil when nothing was ever in it.

local catalog, groups, mine, version = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group = ARGV[1]
local changed = false

local before = redis.call('SMEMBERS', mine)
redis.call('DEL', mine)
for i = 2, #ARGV, 2 do
  redis.call('SADD', mine, ARGV[i])
  if redis.call('HGET', catalog, ARGV[i]) ~= ARGV[i + 1] then
    redis.call('HSET', catalog, ARGV[i], ARGV[i + 1])
    changed = true
  end
end
if #ARGV > 1 then
  redis.call('SADD', groups, group)
else
  redis.call('SREM', groups, group)
end

local others = redis.call('SMEMBERS', groups)
for _, name in ipairs(before) do
  local offered = false
  for _, other in ipairs(others) do
    offered = offered or redis.call('SISMEMBER', KEY.CATALOG_GROUP .. other, name) == 1
  end
  if not offered then
    redis.call('HDEL', catalog, name)
    changed = true
  end
end

-- A time, not a count: after the loss of all data a count would come to a number that a reader still remembers.
if changed then
  local time = redis.call('TIME')
  redis.call('SET', version, string.format('%d.%06d', time[1], time[2]))
end
return redis.call('GET', version)
