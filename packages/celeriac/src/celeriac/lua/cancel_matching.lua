-- Cancels the runs of one task that match a filter, a batch at a time, oldest first.
--
-- KEYS  1 the task's index of runs
-- ARGV  1 reason   2 1 to ask for termination of what runs   3 seconds a final record is kept
--       4 id of the last run looked at, '' to begin   5 runs to look at the most
--       6 queue, '' for any   7 states, comma-separated, '' for all that are not final
--       8 only runs submitted at least this many ms ago
-- Returns {cancelled, requested, id of the last run looked at; '' when there are no more}.

local index, reason, hard, keep = KEYS[1], ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local last, limit, queue, age = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[8])
local states
for state in string.gmatch(ARGV[7], '[^,]+') do
  states = states or {}
  states[state] = true
end
local before = now() - age

-- A run trimmed from the index since the last call leaves no place to go on from; what is left is looked at again.
local rank = last ~= '' and redis.call('ZRANK', index, last)
local first = rank and rank + 1 or 0
local batch = redis.call('ZRANGE', index, first, first + limit - 1, 'WITHSCORES')

local count = { cancelled = 0, requested = 0, final = 0, unknown = 0 }
for i = 1, #batch, 2 do
  local id = batch[i]
  if tonumber(batch[i + 1]) > before then
    return { count.cancelled, count.requested, '' }
  end
  local known = redis.call('HMGET', KEY.RUN .. id, 'state', 'queue')
  if (not states or states[known[1]]) and (queue == '' or known[2] == queue) then
    local outcome = cancel_run(id, reason, hard, keep)
    count[outcome] = count[outcome] + 1
  end
end
return { count.cancelled, count.requested, #batch == limit * 2 and batch[#batch - 1] or '' }
