-- Tells that workers have begun to run deliveries.
--
-- KEYS  1 the group's unacked hash
-- ARGV  1 worker   2... for each: tag, id, ms since it began
-- Returns for each 1, or 0 when the delivery is no longer the worker's: then nothing changed.

local unacked, worker, at = KEYS[1], ARGV[1], now()
local answer = {}
for i = 2, #ARGV, 3 do
  local tag, id = ARGV[i], ARGV[i + 1]
  local record = KEY.RUN .. id
  local held = redis.call('HEXISTS', unacked, tag)
  if held == 1 and may_move('worker', redis.call('HGET', record, 'state'), 'running') then
    redis.call('HSET', record, 'state', 'running', 'worker', worker, 'started', at - ARGV[i + 2])
    announce(id, 'running')
  end
  table.insert(answer, held)
end
return answer
