-- Tells a running task whether it is to stop, and notes that it has heard: it ends as cancelled then, whatever it returns.
--
-- KEYS  1 the run's record
-- Returns 1 when its cancellation was requested, else 0.

if redis.call('HEXISTS', KEYS[1], 'cancel') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'cancel_heard', 1)
return 1
