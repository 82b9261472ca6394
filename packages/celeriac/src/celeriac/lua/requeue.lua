-- Gives deliveries back to the list they came from.
--
-- KEYS  1 the group's unacked hash
-- ARGV  1 seconds a final record is kept
--       2... for each: tag, id ('' when it is to be read from the message), 1 for the front of the list (taken next) or 0 for its back,
--       1 when the hand-out is not to count, as when a worker stops, error (JSON, or '')
-- Returns for each 1, or 0 when the delivery is no longer the worker's: then nothing changed.

local call = redis.call
local unacked, keep = KEYS[1], tonumber(ARGV[1])

local function requeue(tag, id, front, forgiven, error)
  local message = call('HGET', unacked, tag)
  if not message then
    return 0
  end
  call('HDEL', unacked, tag)
  if id == '' then
    id = message_id(message) or ''
  end
  local record = KEY.RUN .. id
  local state, cancel = unpack(call('HMGET', record, 'state', 'cancel'))
  if state and FINAL[state] then
    return 1
  end
  if cancel then
    end_run(id, 'cancelled', 'cancelled before it ended', message, keep)
    return 1
  end
  call(front == '1' and 'RPUSH' or 'LPUSH', tag_list(tag), message)
  if state then
    if forgiven == '1' then
      call('HINCRBY', record, 'deliveries', -1)
    end
    call('HSET', record, 'state', 'requeued')
    if error ~= '' then
      call('HSET', record, 'error', error)
    end
    call('HDEL', record, 'worker', 'owner')
    announce(id, 'requeued')
  end
  return 1
end

local answer = {}
for i = 2, #ARGV, 5 do
  answer[#answer + 1] = requeue(unpack(ARGV, i, i + 4))
end
return answer
