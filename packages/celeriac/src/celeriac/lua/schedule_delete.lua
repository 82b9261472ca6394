-- Removes a schedule, its history and a fire it holds. Runs it has submitted go on.
--
-- KEYS  1 the schedule
-- ARGV  1 id   2 version it must have ('' any)   3 source it must have ('' any)
-- Returns {outcome, version, source}; outcome is 'deleted', 'missing', 'changed' or 'clash'.

local version, source = unpack(redis.call('HMGET', KEYS[1], 'version', 'source'))
if not version then
  return { 'missing', '0', '' }
end
if ARGV[3] ~= '' and ARGV[3] ~= source then
  return { 'clash', version, source }
end
if ARGV[2] ~= '' and ARGV[2] ~= version then
  return { 'changed', version, source }
end
delete_schedule(ARGV[1])
return { 'deleted', version, source }
