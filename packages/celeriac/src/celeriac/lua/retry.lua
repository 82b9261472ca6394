-- Ends deliveries by sending their run again: acknowledgement, record and the new message, together or not at all.
-- A retry is a new attempt, so its hand-outs are counted from nothing.
--
-- KEYS  1 the group's unacked hash
-- ARGV  1 worker   2 a run due later than this many ms from now waits in the delayed set
--       3 seconds a final record is kept
--       4... for each: tag, id, task, list, queue, priority, due (ms; 0 for now), retries,
--       error (JSON, or ''), result ('' for none), seconds the result is kept (0 for ever), message
-- Returns for each 1, or 0 when the delivery is no longer the worker's: then nothing changed.

local call = redis.call
local unacked, worker, threshold, keep = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local at = now()

local function retry(tag, id, task, list, queue, priority, due, retries, error, result, result_keep, message)
  if call('HDEL', unacked, tag) == 0 then
    return 0
  end
  local record = KEY.RUN .. id
  local state, cancel = unpack(call('HMGET', record, 'state', 'cancel'))
  if not state or FINAL[state] then
    return 1
  end
  if cancel then
    end_run(id, 'cancelled', 'cancelled before its retry', message, keep)
    return 1
  end
  due = tonumber(due)
  local fields = {
    'state', 'retrying', 'task', task, 'list', list, 'queue', queue, 'priority', priority,
    'retries', retries, 'deliveries', 0, 'worker', worker,
  }
  local function add(name, value)
    fields[#fields + 1], fields[#fields + 2] = name, value
  end
  if error ~= '' then add('error', error) end
  if due > 0 then add('due', due) end
  local later = due > at + threshold
  if later then add('message', message) end
  call('HSET', record, unpack(fields))
  call('HDEL', record, 'owner')
  if later then
    call('ZADD', KEY.DELAYED, due, id)
  else
    call('LPUSH', list, message)
  end
  if result ~= '' then
    store_result(id, result, result_keep)
  end
  announce(id, 'retrying')
  return 1
end

local answer = {}
for i = 4, #ARGV, 12 do
  answer[#answer + 1] = retry(unpack(ARGV, i, i + 11))
end
return answer
