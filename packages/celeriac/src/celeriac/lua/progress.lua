-- Says how far a run is. Refused once the run has ended, so that a late word cannot undo its end.
--
-- KEYS  1 the run's record
-- ARGV  1 id   2 progress (JSON)   3 result in Celery's form ('' for none)   4 seconds that is kept (0 for ever)
-- Returns 1, or 0 when the run has ended or is not known.

local state = redis.call('HGET', KEYS[1], 'state')
if not state or FINAL[state] then
  return 0
end
redis.call('HSET', KEYS[1], 'progress', ARGV[2])
if ARGV[3] ~= '' then
  store_result(ARGV[1], ARGV[3], ARGV[4])
end
announce(ARGV[1], 'progress')
return 1
