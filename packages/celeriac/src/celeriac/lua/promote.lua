-- Moves delayed runs that are due to their queue lists. Leader only.
--
-- KEYS  1 celeriac:delayed
-- ARGV  1 token   2 runs to move at the most
-- Returns {moved, ms until the next one is due; 0 when more are due now, -1 when none waits}.

if fenced(ARGV[1]) then
  return FENCED
end
local delayed, limit = KEYS[1], tonumber(ARGV[2])
local at = now()

local moved = 0
local due = redis.call('ZRANGE', delayed, '-inf', at, 'BYSCORE', 'LIMIT', 0, limit)
for _, id in ipairs(due) do
  local record = KEY.RUN .. id
  local state, list, message = unpack(redis.call('HMGET', record, 'state', 'list', 'message'))
  -- An entry without a waiting run behind it is what a record deleted by hand leaves: there is nothing to deliver.
  if state and not FINAL[state] and list and message then
    redis.call('LPUSH', list, message)
    redis.call('HDEL', record, 'message')
    if may_move('leader', state, 'queued') then
      redis.call('HSET', record, 'state', 'queued')
      announce(id, 'queued')
    end
    moved = moved + 1
  end
  redis.call('ZREM', delayed, id)
end

local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if #first == 0 then
  return { moved, -1 }
end
return { moved, math.max(0, tonumber(first[2]) - at) }
