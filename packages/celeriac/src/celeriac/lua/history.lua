-- Trims the history of one task, a batch at a time, from the newest run to the oldest. Leader only.
--
-- KEYS  1 the task's index of runs   2 celeriac:tasks
-- ARGV  1 token   2 task   3 id of the last run looked at, '' to begin   4 runs to look at at the most
--       5 finished runs met so far   6 finished runs to keep
-- Returns {1 when there are more, id of the last run looked at that stayed, finished runs met so far, removed}.
--
-- What goes: entries whose record has expired, and finished runs beyond the limit with their result and artifacts.
-- What stays whatever its age: what is not final, and what is final but has no expiry, since it is a dead letter or
-- its message still lies in a list.

if fenced(ARGV[1]) then
  return FENCED
end
local index, tasks, task, last = KEYS[1], KEYS[2], ARGV[2], ARGV[3]
local batch, finished, keep = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local first = 0
if last ~= '' then
  local rank = redis.call('ZREVRANK', index, last)
  if not rank then
    return { 0, '', finished, 0 }
  end
  first = rank + 1
end
local ids = redis.call('ZRANGE', index, first, first + batch - 1, 'REV')

local removed = 0
for _, id in ipairs(ids) do
  local record = KEY.RUN .. id
  local state = redis.call('HGET', record, 'state')
  local expires = state and FINAL[state] and redis.call('TTL', record) >= 0
  if expires then
    finished = finished + 1
  end
  if not state or (expires and finished > keep) then
    redis.call('ZREM', index, id)
    redis.call('DEL', record, KEY.RESULT .. id, KEY.ARTIFACT .. id)
    removed = removed + 1
  else
    last = id
  end
end
if redis.call('EXISTS', index) == 0 then
  redis.call('SREM', tasks, task)
end
return { #ids == batch and 1 or 0, last, finished, removed }
