-- Takes back what lost workers held: deliveries whose owner's lease has ended go to the front of their list, or end.
-- Leader only.
--
-- KEYS  1 celeriac:leases   2 celeriac:leases-watched
-- ARGV  1 token   2 deliveries to take back at the most   3 hand-outs a run may have   4 dead letters kept
--       5 seconds a final record is kept   6 ms without a look at the leases that count as an outage
--       7 ms after one in which nothing is taken back
-- Returns {requeued, dead, cancelled, dropped, ms until the next lease ends; 0 when work is left, -1 when no lease}.
--
-- A delivery is found by its tag, `<owner>|<sequence>|<list>`. An owner's lease entry goes last, so that a script that
-- stops half way is simply run again.
--
-- A hand-out counts only where the run may have begun. Workers begin in the order of hand-out, so that is the first as
-- many as the worker had slots (the owner token ends in their number), and what its record calls running. A task that
-- kills its worker thus uses up its own deliveries, and not those of the runs that wait behind it in the same worker.
--
-- While this server was away, hung or refused writes, nobody could renew, and leases of live workers ended. This script
-- could not run then either, or not write that it did. After such a gap workers have time to renew. Since the gap shows
-- here and not in the leader, this holds for a new leader, for a call that lay in a hung server's buffers, and for a
-- clock that was set forward.

if fenced(ARGV[1]) then
  return FENCED
end
local leases, limit = KEYS[1], tonumber(ARGV[2])
local max_deliveries, dead_limit, keep = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local outage, grace = tonumber(ARGV[6]), tonumber(ARGV[7])
local at = now()

local last, since = unpack(redis.call('HMGET', KEYS[2], 'at', 'since'))
since = tonumber(since or at)
if not last or at - last > outage or since > at then
  since = redis.call('EXISTS', leases) == 1 and at or 0 -- a lease made from now on is its worker's to renew
end
redis.call('HSET', KEYS[2], 'at', at, 'since', since)
if at - since < grace then
  return { 0, 0, 0, 0, since + grace - at }
end

local count = { requeued = 0, dead = 0, cancelled = 0, dropped = 0 }

-- Returns the owner's deliveries, latest hand-out first: the one pushed last is taken next, so they keep their order.
local function held(unacked, owner)
  local prefix, found = owner .. '|', {}
  for _, tag in ipairs(redis.call('HKEYS', unacked)) do
    if string.sub(tag, 1, #prefix) == prefix then
      local sequence, list = string.match(string.sub(tag, #prefix + 1), '^(%d+)|(.*)$')
      table.insert(found, { tag = tag, sequence = tonumber(sequence), list = list })
    end
  end
  table.sort(found, function(a, b) return a.sequence > b.sequence end)
  return found
end

-- Decides what becomes of one delivery that is nobody's any more.
local function settle(list, message, may_have_begun)
  local id = message_id(message)
  if not id then
    dead_letter(redis.sha1hex(message), { reason = 'undecodable', list = list, message = message }, dead_limit, keep)
    return 'dead'
  end
  local record = KEY.RUN .. id
  local state, deliveries, cancel = unpack(redis.call('HMGET', record, 'state', 'deliveries', 'cancel'))
  if state and FINAL[state] then
    return 'dropped'
  end
  if cancel then
    end_run(id, 'cancelled', 'cancelled while its worker was lost', message, keep)
    return 'cancelled'
  end
  deliveries = tonumber(deliveries or 0)
  local forgiven = state and state ~= 'running' and not may_have_begun and deliveries > 0
  if deliveries >= max_deliveries and not forgiven then
    dead_letter(id, {
      reason = 'max_deliveries',
      error = 'its worker was lost at delivery ' .. deliveries .. ' of ' .. max_deliveries .. select(2, last_error(record)),
      list = list,
      message = message,
    }, dead_limit, keep)
    return 'dead'
  end
  redis.call('RPUSH', list, message)
  if state then
    redis.call('HSET', record, 'state', 'requeued', 'deliveries', forgiven and deliveries - 1 or deliveries)
    redis.call('HDEL', record, 'worker', 'owner')
    announce(id, 'requeued')
  end
  return 'requeued'
end

local left = limit
for _, member in ipairs(redis.call('ZRANGE', leases, '-inf', at, 'BYSCORE', 'LIMIT', 0, limit)) do
  if left <= 0 then
    break
  end
  local group, owner = string.match(member, '^(.*)/([^/]*)$')
  local unacked = KEY.UNACKED .. group
  local deliveries = held(unacked, owner)
  local slots = tonumber(string.match(owner, '~(%d+)$')) or #deliveries
  for i = 1, math.min(left, #deliveries) do
    local delivery = deliveries[i]
    local outcome = settle(delivery.list, redis.call('HGET', unacked, delivery.tag), #deliveries - i < slots)
    count[outcome] = count[outcome] + 1
    redis.call('HDEL', unacked, delivery.tag)
  end
  if #deliveries <= left then
    redis.call('ZREM', leases, member)
  end
  left = left - math.max(1, #deliveries)
end

local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
local wait = #first == 0 and -1 or math.max(0, tonumber(first[2]) - at)
return { count.requeued, count.dead, count.cancelled, count.dropped, wait }
