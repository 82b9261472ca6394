-- Ends deliveries: acknowledgement, final state, result and publication, together or not at all.
--
-- KEYS  1 the group's unacked hash
-- ARGV  1 worker   2 seconds a final record is kept   3 dead letters kept
--       4... for each: tag, id ('' when it is to be read from the message), state (or 'replaced'), ms since it began ('' when that was told before or it never began),
--       ms since it ended, error (JSON, or ''), reason (''), result ('' for none),
--       seconds the result is kept (0 for ever)
-- Returns for each 1, or 0 when the delivery is no longer the worker's: then nothing changed.

local call = redis.call
local unacked, worker = KEYS[1], ARGV[1]
local keep, dead_limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local at = now()

local function finish(tag, id, state, began, ended, error, reason, result, result_keep)
  local message = (state == 'dead' or id == '') and call('HGET', unacked, tag)
  if call('HDEL', unacked, tag) == 0 then
    return 0
  end
  if id == '' then
    id = message_id(message) or redis.sha1hex(message)
  end
  local record = KEY.RUN .. id
  local old, started, heard = unpack(call('HMGET', record, 'state', 'started', 'cancel_heard'))
  if state == 'replaced' then
    -- Others run in its place now, and the last of them is submitted under its id.
    if old and may_move('worker', old, 'retrying') then
      call('HSET', record, 'state', 'retrying', 'replaced', 1, 'deliveries', 0)
      call('HDEL', record, 'owner')
      announce(id, 'retrying')
    end
    return 1
  end
  if old and not may_move('worker', old, state) then
    return 1
  end
  if state == 'dead' then
    local letter = {
      reason = reason,
      error = error ~= '' and error or nil,
      result = result ~= '' and result or nil,
      list = tag_list(tag),
      message = message,
    }
    dead_letter(id, letter, dead_limit, keep)
    return 1
  end
  if not old then
    return 1
  end
  -- What a start took on its way here shows in its time; an end is never before it.
  local finished = math.max(at - ended, tonumber(began == '' and started or 0))
  local fields = { 'state', state, 'worker', worker, 'finished', finished }
  local n = #fields
  if began ~= '' then
    fields[n + 1], fields[n + 2], n = 'started', at - began, n + 2
  end
  if error ~= '' then
    fields[n + 1], fields[n + 2], n = 'error', error, n + 2
  end
  if reason ~= '' then
    fields[n + 1], fields[n + 2] = 'reason', reason
  end
  call('HSET', record, unpack(fields))
  if heard and state ~= 'cancelled' then
    -- The worker has told its chord already, if it has one.
    end_run(id, 'cancelled', 'its task stopped when it heard of its cancellation', nil, keep)
    return 1
  end
  call('EXPIRE', record, keep)
  if result ~= '' then
    store_result(id, result, result_keep)
  end
  announce(id, state)
  return 1
end

local answer = {}
for i = 4, #ARGV, 9 do
  answer[#answer + 1] = finish(unpack(ARGV, i, i + 8))
end
return answer
