-- Removes the oldest of the dead letters that have been dead for too long. Leader only.
--
-- KEYS  1 celeriac:dead
-- ARGV  1 token   2 age (ms)   3 letters to remove at the most   4 seconds the record of a removed one is kept
-- Returns how many were removed.

if fenced(ARGV[1]) then
  return FENCED
end
local ids = redis.call('ZRANGE', KEYS[1], '-inf', now() - ARGV[2], 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[3]))
for _, id in ipairs(ids) do
  remove_dead_letter(id, tonumber(ARGV[4]))
end
return #ids
