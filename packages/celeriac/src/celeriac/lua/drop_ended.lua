-- Takes an end off the list once it was told. Leader only.
--
-- KEYS  1 celeriac:ended
-- ARGV  1 token   2 the entry
-- Returns 1, or 0 when it was gone already.

if fenced(ARGV[1]) then
  return FENCED
end
return redis.call('LREM', KEYS[1], -1, ARGV[2])
