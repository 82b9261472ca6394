-- Says which schedules are in a declarer's code: those it declared before, and nobody declares now, go.
--
-- KEYS  1 celeriac:schedule-declarers   2 the declarer's set
-- ARGV  1 declarer   2... ids
-- Returns the ids removed.

local declarer = ARGV[1]
local declared = {}
for i = 2, #ARGV do declared[ARGV[i]] = true end

local removed = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if not declared[id] then
    redis.call('SREM', KEYS[2], id)
    local elsewhere = false
    for _, other in ipairs(redis.call('SMEMBERS', KEYS[1])) do
      elsewhere = elsewhere or redis.call('SISMEMBER', KEY.SCHEDULE_DECLARED .. other, id) == 1
    end
    if not elsewhere then
      local source = redis.call('HGET', KEY.SCHEDULE .. id, 'source')
      if source == 'code' then
        delete_schedule(id)
        table.insert(removed, id)
      elseif source then
        redis.call('HDEL', KEY.SCHEDULE .. id, 'clash')
      end
    end
  end
end
for id in pairs(declared) do
  redis.call('SADD', KEYS[2], id)
end
if #ARGV > 1 then
  redis.call('SADD', KEYS[1], declarer)
else
  redis.call('SREM', KEYS[1], declarer)
end
return removed
