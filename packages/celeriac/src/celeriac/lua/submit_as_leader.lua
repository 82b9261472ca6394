-- Accepts a run of the leader's, to be started at once: its record and its message, together or not at all.
-- Does nothing when the id has a record. Leader only.
--
-- KEYS  1 the run's record   2 the list its message goes to
-- ARGV  1 token   2 id   3 task   4 queue   5 priority   6 expires (ms; 0 for never)   7 schedule   8 the message
-- Returns 1 for a new run, 0 for one that is known.

if fenced(ARGV[1]) then
  return FENCED
end
if redis.call('HEXISTS', KEYS[1], 'state') == 1 then
  return 0
end
local fields = { 'state', 'queued', 'queue', ARGV[4], 'priority', ARGV[5], 'list', KEYS[2], 'schedule', ARGV[7] }
if ARGV[6] ~= '0' then
  table.insert(fields, 'expires')
  table.insert(fields, ARGV[6])
end
create_record(ARGV[2], ARGV[3], now(), fields)
redis.call('LPUSH', KEYS[2], ARGV[8])
return 1
