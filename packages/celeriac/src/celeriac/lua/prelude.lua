-- Stands before every script. KEY, FINAL and MOVES come from celeriac.keys and celeriac.states.

-- Milliseconds since the epoch by this server's clock, the only clock there is.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Tells whether `actor` may move a run from state `old` to `new`.
local function may_move(actor, old, new)
  local from = MOVES[actor] and MOVES[actor][old]
  return from ~= nil and from[new] == true
end

-- Tells those who watch run `id` what became of it.
local function announce(id, state)
  redis.call('PUBLISH', KEY.RUN .. id, state)
end

-- Writes a new record and its place in the index of its task. `fields` is a flat list of names and values.
local function create_record(id, task, at, fields)
  redis.call('HSET', KEY.RUN .. id, 'task', task, 'created', at, unpack(fields))
  redis.call('ZADD', KEY.RUNS .. task, at, id)
  redis.call('SADD', KEY.TASKS, task)
end

local FENCED = redis.error_reply('FENCED this process does not lead: its fencing token is not the current one')

-- Tells whether `token` is not the acting leader's: then the script returns FENCED and changes nothing.
local function fenced(token)
  return redis.call('GET', KEY.LEADER) ~= token
end

-- Returns the id of the run that a message carries, nil when it cannot be read. Messages are decoded to be read and
-- never encoded again: cjson turns [] into {} and rounds long integers.
local function message_id(message)
  local ok, envelope = pcall(cjson.decode, message)
  if not ok or type(envelope) ~= 'table' or type(envelope.headers) ~= 'table' then
    return nil
  end
  local id = envelope.headers.id
  return type(id) == 'string' and id ~= '' and id or nil
end

-- Answers a stock AsyncResult that waits for run `id`, as Celery's own Redis backend would. Kept for `keep` seconds.
local function answer(id, status, exception, module, text, keep)
  local meta = string.format(
    '{"status": "%s", "result": {"exc_type": "%s", "exc_message": [%s], "exc_module": "%s"}, '
      .. '"traceback": null, "children": [], "date_done": null, "task_id": %s}',
    status, exception, cjson.encode(text), module, cjson.encode(id))
  redis.call('SETEX', KEY.RESULT .. id, keep, meta)
  redis.call('PUBLISH', KEY.RESULT .. id, meta)
end

-- Tells whether nobody waits for the run of a message: neither chord nor chain, callback or errback.
local function lonely(message)
  for _, tail in ipairs(LONELY_TAILS) do
    if string.find(message, tail .. '"', 1, true) then
      return true
    end
  end
  return false
end

-- Hands an end that no worker has reported to the leader, for those who wait for it.
local function report_end(id, state, reason, message)
  if message and not lonely(message) then
    redis.call('LPUSH', KEY.ENDED, cjson.encode({ id = id, state = state, reason = reason, message = message }))
  end
end

-- Ends run `id` as cancelled or expired without a worker: record, stock result, those who watch, its chord. The caller
-- takes the message from where it was; nil where it is in the record or out of reach. `keep` is how many seconds record
-- and result are kept.
local function end_run(id, state, reason, message, keep)
  local record = KEY.RUN .. id
  message = message or redis.call('HGET', record, 'message')
  redis.call('HSET', record, 'state', state, 'reason', reason, 'finished', now())
  redis.call('HDEL', record, 'message')
  redis.call('EXPIRE', record, keep)
  answer(id, 'REVOKED', 'TaskRevokedError', 'celery.exceptions', state, keep)
  announce(id, state)
  report_end(id, state, reason, message)
end

-- Cancels run `id`: at once when it waits, by request when a worker holds it. `hard` asks for its termination.
-- Returns 'unknown', 'final', 'cancelled' or 'requested', and the state it is in now.
--
-- A message in a list stays there until reserve meets it, since finding it takes as long as the list is. Its record does
-- not expire before: an unknown id would be taken for a stock producer's and run. A run that others stand in for has none.
local function cancel_run(id, reason, hard, keep)
  local record = KEY.RUN .. id
  local state, owner, replaced = unpack(redis.call('HMGET', record, 'state', 'owner', 'replaced'))
  if not state then
    return 'unknown', ''
  end
  if FINAL[state] then
    return 'final', state
  end
  redis.call('HSETNX', record, 'cancel', now())
  if owner or state == 'running' then
    if hard then
      redis.call('HSET', record, 'cancel_hard', 1)
    end
    if owner then
      redis.call('PUBLISH', KEY.CANCELS .. string.match(owner, '^(.*)/'), (hard and 'hard ' or 'soft ') .. id)
    end
    return 'requested', state
  end
  local delayed = redis.call('ZREM', KEY.DELAYED, id) == 1
  end_run(id, 'cancelled', reason, nil, keep)
  if replaced then
    redis.call('HDEL', record, 'replaced')
  elseif not delayed then
    redis.call('PERSIST', record)
  end
  return 'cancelled', 'cancelled'
end

-- The message of a run that has ended was met in its list. For one that was cancelled there its record may expire now,
-- and those who wait for it can be told.
local function drop_message(id, state, message, keep)
  local record = KEY.RUN .. id
  if state == 'cancelled' and redis.call('TTL', record) == -1 then
    redis.call('EXPIRE', record, keep)
    report_end(id, state, redis.call('HGET', record, 'reason') or state, message)
  end
end

-- Removes a dead letter; the record of its run, if it is still dead, goes `keep` seconds later.
local function remove_dead_letter(id, keep)
  redis.call('ZREM', KEY.DEAD, id)
  redis.call('DEL', KEY.DEAD_LETTER .. id)
  if redis.call('HGET', KEY.RUN .. id, 'state') == 'dead' then
    redis.call('EXPIRE', KEY.RUN .. id, keep)
  end
end

-- Keeps Celery's own result of run `id` where a stock AsyncResult looks, `keep` seconds (0 for ever), and tells it.
local function store_result(id, result, keep)
  local key = KEY.RESULT .. id
  if tonumber(keep) == 0 then
    redis.call('SET', key, result)
  else
    redis.call('SET', key, result, 'EX', keep)
  end
  redis.call('PUBLISH', key, result)
end

-- Returns the kind of the error that ended an earlier delivery of a run, and words that tell of it; '' for none.
local function last_error(record)
  local ok, error = pcall(cjson.decode, redis.call('HGET', record, 'error') or '')
  if not ok or type(error) ~= 'table' then
    return '', ''
  end
  return error.type, '; the last that was heard of it: ' .. tostring(error.type) .. ': ' .. tostring(error.message)
end

-- Makes a dead letter of a message that will not be delivered again, and removes the oldest beyond `limit`. The caller
-- takes the message from where it was.
--   id      of the run; for a message that cannot be read, redis.sha1hex of it
--   letter  { reason = a word of celeriac.dead_letters.Reason, list = where it came from, message = as it came,
--             error = what happened, in words, if there is something to say,
--             result = how it ended, as a stock result, where those who wait for it have been told already }
--   keep    seconds a stock result is kept
local function dead_letter(id, letter, limit, keep)
  local at, record = now(), KEY.RUN .. id
  local state, task, deliveries = unpack(redis.call('HMGET', record, 'state', 'task', 'deliveries'))
  local text = letter.error and letter.reason .. ': ' .. letter.error or letter.reason
  redis.call('HSET', KEY.DEAD_LETTER .. id, 'reason', letter.reason, 'error', letter.error or '',
    'list', letter.list, 'message', letter.message, 'task', task or '', 'deliveries', deliveries or 0, 'died', at)
  redis.call('ZADD', KEY.DEAD, at, id)
  if state then
    redis.call('HSET', record, 'state', 'dead', 'reason', text, 'finished', at)
    redis.call('HDEL', record, 'message')
    redis.call('PERSIST', record)
    if letter.result then
      store_result(id, letter.result, keep)
    else
      answer(id, 'FAILURE', 'DeadLetterError', 'celeriac.errors', text, keep)
      report_end(id, 'dead', text, letter.message)
    end
    announce(id, 'dead')
  end
  local beyond = redis.call('ZCARD', KEY.DEAD) - limit
  if beyond > 0 then
    for _, oldest in ipairs(redis.call('ZRANGE', KEY.DEAD, 0, math.min(beyond, 100) - 1)) do
      remove_dead_letter(oldest, keep)
    end
  end
end

-- Removes a schedule and all that is kept of it. Runs it has submitted go on.
local function delete_schedule(id)
  redis.call('DEL', KEY.SCHEDULE .. id, KEY.SCHEDULE_HISTORY .. id)
  redis.call('ZREM', KEY.SCHEDULES, id)
  redis.call('ZREM', KEY.SCHEDULE_IDS, id)
  redis.call('SREM', KEY.SCHEDULES_HELD, id)
end

-- Returns the list that a delivery tag, `<owner>|<sequence>|<list>`, came from.
local function tag_list(tag)
  return string.match(tag, '^[^|]*|%d+|(.*)$')
end

-- Returns an ISO 8601 time as milliseconds since the epoch, nil when it is none. Without an offset it is UTC.
local function instant(text)
  local year, month, day, hour, minute, second, rest =
    string.match(text, '^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):(%d%d%.?%d*)(.*)$')
  if not year then
    return nil
  end
  local sign, hours, minutes = string.match(rest, '^([+-])(%d%d):?(%d%d)')
  -- Days since the epoch in the proleptic Gregorian calendar, counting years from March.
  local y, m = tonumber(year), tonumber(month)
  if m <= 2 then
    y, m = y - 1, m + 12
  end
  local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
    + math.floor((153 * (m - 3) + 2) / 5) + tonumber(day) - 1 - 719468
  local seconds = days * 86400 + hour * 3600 + minute * 60 + tonumber(second)
  if sign then
    local offset = hours * 3600 + minutes * 60
    seconds = seconds - (sign == '+' and offset or -offset)
  end
  return math.floor(seconds * 1000 + 0.5)
end
