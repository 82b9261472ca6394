-- Makes a schedule or replaces its definition.
--
-- KEYS  1 the schedule
-- ARGV  1 id   2 version it must have ('' any, '0' it must not exist)   3 source   4 definition   5 payload
--       6 next fire (ms; 'keep' leaves it as the leader has it)   7 when that is due (ms)   8 who declares it in code
-- Returns {outcome, version, source}; outcome is 'written', 'same', 'changed' (another version) or 'clash' (the id
-- belongs to another source).

local schedule = KEYS[1]
local id, expected, source, definition = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local at = now()

local version, owner, known, payload, paused =
  unpack(redis.call('HMGET', schedule, 'version', 'source', 'definition', 'payload', 'paused'))
if owner and owner ~= source then
  if source == 'code' then
    redis.call('HSET', schedule, 'clash', ARGV[8])
  end
  return { 'clash', version, owner }
end
if expected ~= '' and expected ~= (version or '0') then
  return { 'changed', version or '0', owner or '' }
end
if known == definition and payload == ARGV[5] then
  return { 'same', version, owner }
end

version = tostring((version or 0) + 1)
redis.call('HSET', schedule, 'definition', definition, 'payload', ARGV[5], 'version', version, 'source', source,
  'updated', at)
redis.call('HSETNX', schedule, 'created', at)
redis.call('ZADD', KEY.SCHEDULE_IDS, 0, id)
if ARGV[6] ~= 'keep' then
  redis.call('HSET', schedule, 'next', ARGV[6])
  if not paused then
    redis.call('ZADD', KEY.SCHEDULES, ARGV[7], id)
  end
end
return { 'written', version, source }
