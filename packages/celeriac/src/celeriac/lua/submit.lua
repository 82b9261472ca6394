-- Accepts a run: its record, its place in the index and its message, together or not at all.
-- Does nothing when the id has a record, so a repeated submission is the same run. The exception is a run that has
-- put others in its place (Task.replace): the last of them carries its id.
--
-- KEYS  1 the run's record
--       2 the list its message goes to
-- ARGV  1 id   2 task   3 queue   4 priority
--       5 due (ms; 0 for now)   6 expires (ms; 0 for never)
--       7 a run due later than this many ms from now waits in the delayed set
--       8 the message   9... further fields of the record, names and values in turn
-- Returns {1, state} for a new run, {0, state} for one that is known.

local record, list = KEYS[1], KEYS[2]
local id, task, queue, priority = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local due, expires, threshold = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local message = ARGV[8]

local known, replaced = unpack(redis.call('HMGET', record, 'state', 'replaced'))
if known and not replaced then
  -- A write that changes nothing: a WAIT behind this script must cover the first submission, not the last write of
  -- some other command on this connection.
  redis.call('HSET', record, 'state', known)
  return { 0, known }
end

local at = now()
local later = due > at + threshold
local state = later and 'scheduled' or 'queued'
local fields = { 'state', state, 'queue', queue, 'priority', priority, 'list', list }
local function add(name, value)
  table.insert(fields, name)
  table.insert(fields, value)
end
if due > 0 then add('due', due) end
if expires > 0 then add('expires', expires) end
if later then add('message', message) end
for i = 9, #ARGV, 2 do add(ARGV[i], ARGV[i + 1]) end

-- First, since it is what can be refused: a key of the queue's name that is no list.
if later then
  redis.call('ZADD', KEY.DELAYED, due, id)
else
  redis.call('LPUSH', list, message)
end
if replaced then
  -- The last part of what a run has put in its place: the same run goes on, in the state it was left in.
  redis.call('HSET', record, 'task', task, unpack(fields, 3))
  redis.call('HDEL', record, 'replaced')
  state = known
else
  create_record(id, task, at, fields)
end
return { 1, state }
