-- Finds chords all of whose parts have reported while nobody is sending the body, and forgets those that are over.
-- Leader only.
--
-- KEYS  1 celeriac:chords
-- ARGV  1 token   2 prefix of Celery's group keys   3... groups
-- Returns the groups to complete.
--
-- Celery keeps of a chord: .s its size, .t what its size has changed by, .j the parts' results, .d which parts have
-- reported, .c who is sending the body. .s goes when the body was sent, or failed, or all has expired.

if fenced(ARGV[1]) then
  return FENCED
end
local chords, prefix = KEYS[1], ARGV[2]

local complete = {}
for i = 3, #ARGV do
  local key = prefix .. ARGV[i]
  local size = redis.call('GET', key .. '.s')
  if not size then
    redis.call('HDEL', chords, ARGV[i])
  else
    local kind = redis.call('TYPE', key .. '.j').ok
    local reported = kind == 'zset' and redis.call('ZCARD', key .. '.j')
      or kind == 'list' and redis.call('LLEN', key .. '.j') or 0
    local expected = tonumber(size) + tonumber(redis.call('GET', key .. '.t') or 0)
    if reported == expected and redis.call('EXISTS', key .. '.c') == 0 then
      table.insert(complete, ARGV[i])
    end
  end
end
return complete
