-- Removes a dead letter.
--
-- KEYS  1 the dead letter
-- ARGV  1 id   2 seconds the record of its run is kept
-- Returns 1, or 0 when there is no such letter.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
remove_dead_letter(ARGV[1], tonumber(ARGV[2]))
return 1
