-- Reads how much waits and is in flight, all at one moment.
--
-- KEYS  the queue lists asked for
-- Returns {now (ms), delayed runs, dead letters, leases, {waiting, since, in flight} per list}, where `since` is when
--   the run at the front of the list was submitted or fell due (ms; 0 when the list is empty or it has no record).
--
-- Counting what is in flight reads the tags alone, `<owner>|<sequence>|<list>`. A group with anything in flight has a
-- lease, since reclaiming removes the lease last.

local groups = {}
for _, member in ipairs(redis.call('ZRANGE', KEY.LEASES, 0, -1)) do
  groups[string.match(member, '^(.*)/[^/]*$')] = true
end
local in_flight = {}
for group in pairs(groups) do
  for _, tag in ipairs(redis.call('HKEYS', KEY.UNACKED .. group)) do
    local list = string.match(tag, '^[^|]*|%d+|(.*)$')
    in_flight[list] = (in_flight[list] or 0) + 1
  end
end

local function since(list)
  local message = redis.call('LINDEX', list, -1)
  local id = message and message_id(message)
  if not id then
    return 0
  end
  local created, due = unpack(redis.call('HMGET', KEY.RUN .. id, 'created', 'due'))
  return math.max(tonumber(created or 0), tonumber(due or 0))
end

local loads = {}
for i, list in ipairs(KEYS) do
  loads[i] = { redis.call('LLEN', list), since(list), in_flight[list] or 0 }
end
return {
  now(),
  redis.call('ZCARD', KEY.DELAYED),
  redis.call('ZCARD', KEY.DEAD),
  redis.call('ZCARD', KEY.LEASES),
  loads,
}
