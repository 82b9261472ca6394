-- Ends a run that has put others in its place when one of those before its last has failed: no message of it is left.
--
-- KEYS  1 the run's record
-- ARGV  1 id   2 state   3 error (JSON)   4 seconds a final record is kept
-- Returns 1, or 0 when the run is not in that position: then nothing changed.

local record = KEYS[1]
if not redis.call('HGET', record, 'replaced') then
  return 0
end
redis.call('HDEL', record, 'replaced')
redis.call('HSET', record, 'state', ARGV[2], 'error', ARGV[3], 'finished', now())
redis.call('EXPIRE', record, ARGV[4])
announce(ARGV[1], ARGV[2])
return 1
