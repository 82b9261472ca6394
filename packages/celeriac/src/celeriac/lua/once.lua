-- Says whether a run may do the work of a key: claims it, or tells who has it, or what came of it.
--
-- KEYS  1 the key
-- ARGV  1 claim, complete or release   2 run id   3 ms to keep what is written   4 for complete: the result
-- Returns for claim {'mine'}, {'busy', run} or {'done', result}; for the others 1, or 0 when the key is another's.
--
-- A claim has no clock of its own: it holds while its run's record says that the run has not ended. So a crash is
-- followed by the same run, delivered again, or by another one once the first is final; never by both.

local key, what, id, keep = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local holder, result = unpack(redis.call('HMGET', key, 'run', 'result'))

if what == 'claim' then
  if result then
    return { 'done', result }
  end
  if holder and holder ~= id then
    local state = redis.call('HGET', KEY.RUN .. holder, 'state')
    if state == 'succeeded' then
      return { 'done', 'null' }
    end
    if state and not FINAL[state] then
      return { 'busy', holder }
    end
  end
  redis.call('HSET', key, 'run', id)
  redis.call('PEXPIRE', key, keep)
  return { 'mine' }
end

if holder ~= id then
  return 0
end
if what == 'complete' then
  redis.call('HSET', key, 'result', ARGV[4])
  redis.call('PEXPIRE', key, keep)
else
  redis.call('DEL', key)
end
return 1
