-- Reads the schedules that are due, and those whose held fire may go. Changes nothing else. Leader only.
--
-- KEYS  1 celeriac:schedules   2 celeriac:schedules-held   3 celeriac:catalog-version
-- ARGV  1 token   2 schedules to return at the most
-- Returns {now, ms until the next is due (0 when more are due now, -1 when none waits), the catalogue's version,
--   {{id, definition, payload, version, next}, ...},
--   {{id, definition, payload, version, held}, ...}}.

if fenced(ARGV[1]) then
  return FENCED
end
local schedules, limit = KEYS[1], tonumber(ARGV[2])
local at = now()

-- Milliseconds until the first schedule after `from` is due.
local function until_first(from)
  local first = redis.call('ZRANGE', schedules, from, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  return #first == 0 and -1 or math.max(0, tonumber(first[2]) - at)
end

local due = {}
local wait = until_first('-inf')
local ids = wait == 0 and redis.call('ZRANGE', schedules, '-inf', at, 'BYSCORE', 'LIMIT', 0, limit) or {}
if wait == 0 and #ids < limit then
  wait = until_first('(' .. at)
end
for _, id in ipairs(ids) do
  local definition, payload, version, next =
    unpack(redis.call('HMGET', KEY.SCHEDULE .. id, 'definition', 'payload', 'version', 'next'))
  if definition and next then
    table.insert(due, { id, definition, payload, version, next })
  else
    redis.call('ZREM', schedules, id)
  end
end

local held = {}
for _, id in ipairs(redis.call('SRANDMEMBER', KEYS[2], limit)) do
  local definition, payload, version, fire, last, paused =
    unpack(redis.call('HMGET', KEY.SCHEDULE .. id, 'definition', 'payload', 'version', 'held', 'last_run', 'paused'))
  local state = last and redis.call('HGET', KEY.RUN .. last, 'state')
  if not (definition and fire) then
    redis.call('SREM', KEYS[2], id)
  elseif not paused and (not state or FINAL[state]) then
    table.insert(held, { id, definition, payload, version, fire })
  end
end

return { at, wait, redis.call('GET', KEYS[3]) or '', due, held }
