-- Moves the end of a worker's lease. A lease that has been reclaimed is gone and is not made again; one whose end has
-- passed but that nobody has reclaimed yet (Redis or the worker was away) still stands.
--
-- KEYS  1 celeriac:leases
-- ARGV  1 the lease's name, <group>/<owner>   2 length of the lease (ms)
-- Returns 1, or 0 when the lease is gone.

if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
redis.call('ZADD', KEYS[1], 'XX', now() + ARGV[2], ARGV[1])
return 1
