-- Sends a dead letter again: its message to the list it came from, its run to `queued`, its hand-outs uncounted.
--
-- KEYS  1 celeriac:dead   2 the dead letter   3 the run's record
-- ARGV  1 id   2 the message to send, '' for the one that died
-- Returns the state of the run now: 'queued'; 'unknown' when there is no such dead letter, 'unreadable' when its message
--   carries no id, or another one's.

local dead, letter, record = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]

local list, message, task = unpack(redis.call('HMGET', letter, 'list', 'message', 'task'))
if not list then
  return 'unknown'
end
message = ARGV[2] ~= '' and ARGV[2] or message
if message_id(message) ~= id then
  return 'unreadable'
end
local state = redis.call('HGET', record, 'state')
if state and state ~= 'dead' then
  -- The letter is what is left of an earlier life of the run.
  remove_dead_letter(id, 0)
  return state
end
if not state then
  create_record(id, task ~= '' and task or 'unknown', now(), {
    'queue', string.match(list, '^(.-)\6\22%d+$') or list,
    'priority', tonumber(string.match(list, '\6\22(%d+)$') or 0),
    'list', list,
  })
end
redis.call('LPUSH', list, message)
redis.call('ZREM', dead, id)
redis.call('DEL', letter, KEY.RESULT .. id)
redis.call('HSET', record, 'state', 'queued', 'deliveries', 0)
redis.call('HDEL', record, 'reason', 'started', 'finished', 'worker', 'owner', 'cancel', 'cancel_hard', 'cancel_heard')
redis.call('PERSIST', record)
announce(id, 'queued')
return 'queued'
