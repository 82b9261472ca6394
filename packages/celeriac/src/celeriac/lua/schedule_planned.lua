-- Notes by which release of the time zone rules all stored times are planned. Leader only.
--
-- KEYS  1 celeriac:schedule-rules
-- ARGV  1 token   2 the release

if fenced(ARGV[1]) then
  return FENCED
end
return redis.call('SET', KEYS[1], ARGV[2])
