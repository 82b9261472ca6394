-- Gives the leadership up, so that a standby need not wait for the lease to end.
--
-- KEYS  1 celeriac:leader
-- ARGV  1 token
-- Returns 1 when it was held under that token, 0 when not.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
