-- Hands messages to a worker: takes up to n over the lists in their order, counts the delivery, and puts what is to run
-- into the group's unacked hash under the worker's lease. What is cancelled, final, expired, not yet due, unreadable or
-- delivered too often is dealt with here and not handed out.
--
-- KEYS  1 the group's unacked hash   2 celeriac:leases   3... the lists, first to be served first
-- ARGV  1 owner   2 the lease's name, <group>/<owner>   3 n
--       4 first sequence number to use   5 how many before it were asked for in calls whose answer was lost
--       6 1 when the owner has deliveries already, so that its lease must still stand
--       7 length of the lease (ms)   8 lists that share a priority step, served in turn
--       9 hand-outs a run may have   10 a run due later than this many ms from now goes to the delayed set
--       11 dead letters kept   12 seconds a final record is kept
-- Returns {0} when the lease is gone; else {1, tag, message, deliveries, ms it waited, ...}, four for each message.
--
-- Nothing is written when there is nothing to take. Taking comes first: at maxmemory a script may go on only when its
-- first write is one that frees memory.

local call = redis.call
local unacked, leases = KEYS[1], KEYS[2]
local owner, lease, wanted = ARGV[1], ARGV[2], tonumber(ARGV[3])
local sequence, lost = tonumber(ARGV[4]), tonumber(ARGV[5])
local width, max_deliveries, threshold = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local dead_limit, keep = tonumber(ARGV[11]), tonumber(ARGV[12])
local at = now()

if ARGV[6] == '1' and not call('ZSCORE', leases, lease) then
  return { 0 }
end

local answer = { 1 }
local function hand_out(tag, message, deliveries, since)
  local n = #answer
  answer[n + 1], answer[n + 2] = tag, message
  answer[n + 3], answer[n + 4] = deliveries, math.max(0, at - since)
  wanted = wanted - 1
end

-- Messages handed out by a call whose answer was lost are handed out again, not counted again.
if lost > 0 then
  local cursor = '0'
  repeat
    local page = call('HSCAN', unacked, cursor, 'COUNT', 1000)
    cursor = page[1]
    for i = 1, #page[2], 2 do
      local tag = page[2][i]
      local number = string.sub(tag, 1, #owner + 1) == owner .. '|'
        and tonumber(string.match(tag, '^(%d+)|', #owner + 2))
      if number and number >= sequence - lost and number < sequence then
        local id = message_id(page[2][i + 1])
        local deliveries = id and call('HGET', KEY.RUN .. id, 'deliveries')
        hand_out(tag, page[2][i + 1], tonumber(deliveries or 1), at)
      end
    end
  until cursor == '0'
end

-- The record of a message that a stock producer sent.
local function receive(id, headers, envelope, list)
  local properties = type(envelope.properties) == 'table' and envelope.properties or {}
  local fields = {
    'state', 'queued', 'queue', string.match(list, '^(.-)\6\22%d+$') or list, 'list', list,
    'priority', tonumber(properties.priority) or 0, 'retries', tonumber(headers.retries) or 0,
  }
  for name, header in pairs({ parent = 'parent_id', root = 'root_id', group = 'group', expires = 'expires' }) do
    local value = headers[header]
    if type(value) == 'string' then
      table.insert(fields, name)
      table.insert(fields, name == 'expires' and (instant(value) or 0) or value)
    end
  end
  create_record(id, type(headers.task) == 'string' and headers.task or 'unknown', at, fields)
end

local function bury(id, reason, words, list, message)
  dead_letter(id, { reason = reason, error = words, list = list, message = message }, dead_limit, keep)
end

local taken = {}
local function decide(message, list)
  local ok, envelope = pcall(cjson.decode, message)
  local headers = ok and type(envelope) == 'table' and envelope.headers
  local id = type(headers) == 'table' and headers.id
  if type(id) ~= 'string' or id == '' then
    bury(redis.sha1hex(message), 'undecodable', ok and 'it has no id' or 'it is no JSON', list, message)
    return
  end
  local record = KEY.RUN .. id
  local known = call('HMGET', record, 'state', 'cancel', 'expires', 'deliveries', 'created', 'due')
  local state = known[1]
  if not state then
    receive(id, headers, envelope, list)
    state = 'queued'
  elseif FINAL[state] then
    drop_message(id, state, message, keep)
    return
  end
  if known[2] then
    end_run(id, 'cancelled', 'cancelled before it started', message, keep)
    return
  end
  local expires = tonumber(known[3]) or type(headers.expires) == 'string' and instant(headers.expires)
  if expires and expires > 0 and expires < at then
    end_run(id, 'expired', 'its time to start passed', message, keep)
    return
  end
  local due = type(headers.eta) == 'string' and instant(headers.eta)
  if due and due > at + threshold then
    call('HSET', record, 'state', 'scheduled', 'due', due, 'list', list, 'message', message)
    call('ZADD', KEY.DELAYED, due, id)
    announce(id, 'scheduled')
    return
  end
  local deliveries = (tonumber(known[4]) or 0) + 1
  if deliveries > max_deliveries then
    local kind, last = last_error(record)
    bury(id, kind == 'TimeLimitExceeded' and 'time_limit' or 'max_deliveries',
      'it was delivered ' .. deliveries - 1 .. ' times and never finished' .. last, list, message)
    return
  end
  call('HSET', record, 'deliveries', deliveries, 'owner', lease)
  local tag = owner .. '|' .. string.format('%d', sequence) .. '|' .. list
  sequence = sequence + 1
  local n = #taken
  taken[n + 1], taken[n + 2] = tag, message
  hand_out(tag, message, deliveries, math.max(tonumber(known[5]) or at, tonumber(known[6]) or 0))
end

-- Bounds the work of one call when much of what waits is not to run.
local left = math.max(256, wanted * 4)
for first = 3, #KEYS, width do
  local alive = {}
  for i = first, math.min(first + width - 1, #KEYS) do
    table.insert(alive, KEYS[i])
  end
  while #alive > 0 and wanted > 0 and left > 0 do
    local share, still = math.max(1, math.floor(wanted / #alive)), {}
    for _, list in ipairs(alive) do
      local most = math.min(share, wanted, left)
      local messages = most > 0 and call('RPOP', list, most) or {}
      for _, message in ipairs(messages) do
        -- The message is off its list: whatever is wrong with its record, it must end somewhere.
        local ok, fault = pcall(decide, message, list)
        if not ok then
          bury(redis.sha1hex(message), 'unprocessable', type(fault) == 'table' and fault.err or fault, list, message)
        end
      end
      left = left - #messages
      if #messages == most then
        table.insert(still, list)
      end
    end
    alive = still
  end
end

for i = 1, #taken, 1000 do
  call('HSET', unacked, unpack(taken, i, math.min(i + 999, #taken)))
end
if #answer > 1 then
  call('ZADD', leases, at + tonumber(ARGV[7]), lease)
end
return answer
