-- Takes the leadership when nobody holds it, or renews it for the instance that does.
--
-- KEYS  1 celeriac:leader   2 celeriac:fence
-- ARGV  1 instance: unique to one start of one process   2 length of the lease (ms)
-- Returns {1, token, 0} when the instance leads, {0, holder's token, ms left of its lease} when another does.
--
-- The token is compared as a whole, `<fence>:<instance>`. A failover may lose the last INCR, so that two instances
-- are given the same number; they still never have the same token.

local instance, lease = ARGV[1], tonumber(ARGV[2])

local holder = redis.call('GET', KEYS[1])
if not holder then
  local token = redis.call('INCR', KEYS[2]) .. ':' .. instance
  redis.call('SET', KEYS[1], token, 'PX', lease)
  return { 1, token, 0 }
end
-- An instance that missed the answer to its own takeover finds itself here and goes on with the same token.
if string.sub(holder, string.find(holder, ':', 1, true) + 1) == instance then
  redis.call('PEXPIRE', KEYS[1], lease)
  return { 1, holder, 0 }
end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  -- Written by hand, without an end: nobody could ever take over.
  redis.call('PEXPIRE', KEYS[1], lease)
  left = lease
end
return { 0, holder, left }
