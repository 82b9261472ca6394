-- Pauses a schedule, or lets it go on. Both may be done again without effect.
--
-- KEYS  1 the schedule
-- ARGV  1 token of the leader; '' when people do it   2 id   3 version it must have ('' any)
--       4 'pause' or 'resume'   5 why
--       6 next fire after a resume (ms; 'keep' for the one it stopped at, so that catch-up decides; '' for none)
--       7 when that is due (ms)
-- Returns {outcome, version, source}; outcome is 'written', 'same', 'missing' or 'changed'.

if ARGV[1] ~= '' and fenced(ARGV[1]) then
  return FENCED
end
local schedule, id = KEYS[1], ARGV[2]
local version, source, paused, next = unpack(redis.call('HMGET', schedule, 'version', 'source', 'paused', 'next'))
if not version then
  return { 'missing', '0', '' }
end
if ARGV[3] ~= '' and ARGV[3] ~= version then
  return { 'changed', version, source }
end
if (ARGV[4] == 'pause') == (paused and true or false) then
  return { 'same', version, source }
end

version = tostring(version + 1)
redis.call('HSET', schedule, 'version', version, 'updated', now())
if ARGV[4] == 'pause' then
  redis.call('HSET', schedule, 'paused', now(), 'paused_reason', ARGV[5])
  redis.call('ZREM', KEY.SCHEDULES, id)
  return { 'written', version, source }
end
redis.call('HDEL', schedule, 'paused', 'paused_reason')
if ARGV[6] == '' then
  redis.call('HDEL', schedule, 'next')
elseif ARGV[6] ~= 'keep' then
  redis.call('HSET', schedule, 'next', ARGV[6])
end
if ARGV[6] ~= '' and (next or ARGV[6] ~= 'keep') then
  redis.call('ZADD', KEY.SCHEDULES, ARGV[7], id)
end
return { 'written', version, source }
