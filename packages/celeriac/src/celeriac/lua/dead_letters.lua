-- Goes through the dead letters that match a filter, the latest first, and lists or removes them.
--
-- KEYS  1 celeriac:dead
-- ARGV  1 'list' or 'purge'   2 id of the last one looked at, '' to begin   3 when that one died (ms)
--       4 letters to find at the most   5 letters to look at at the most
--       6 task, 7 reason, 8 queue list's queue: '' for any   9 only those that died at least this many ms ago
--       10 seconds the record of a removed one is kept
-- Returns {id of the last one looked at, '' when there are no more; when it died; id, fields (as HMGET below), ...}.

local dead = KEYS[1]
local purge, last, last_died = ARGV[1] == 'purge', ARGV[2], ARGV[3]
local limit, most = tonumber(ARGV[4]), tonumber(ARGV[5])
local task, reason, queue, keep = ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[10])
local before = now() - tonumber(ARGV[9])

-- Goes on behind the last one, or, when that is gone, where it was.
local rank = last ~= '' and redis.call('ZREVRANK', dead, last)
local batch
if rank then
  batch = redis.call('ZRANGE', dead, rank + 1, rank + most, 'REV', 'WITHSCORES')
else
  local from = last ~= '' and last_died or '+inf'
  batch = redis.call('ZRANGE', dead, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, most, 'WITHSCORES')
end

local answer, found = { '', 0 }, 0
for i = 1, #batch, 2 do
  local id, died = batch[i], tonumber(batch[i + 1])
  local fields = redis.call('HMGET', KEY.DEAD_LETTER .. id, 'task', 'reason', 'error', 'list', 'deliveries', 'died')
  local of = string.match(fields[4] or '', '^(.-)\6\22%d+$') or fields[4]
  if died <= before and (task == '' or fields[1] == task) and (reason == '' or fields[2] == reason)
    and (queue == '' or of == queue) then
    if purge then
      remove_dead_letter(id, keep)
    end
    table.insert(answer, id)
    table.insert(answer, fields)
    found = found + 1
  end
  if found == limit or i == #batch - 1 then
    local more = i < #batch - 1 or #batch == most * 2
    answer[1], answer[2] = more and id or '', died
    break
  end
end
return answer
