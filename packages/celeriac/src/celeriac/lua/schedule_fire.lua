-- Fires schedules: each step advances one and submits its runs, or does neither.
--
-- ARGV  1 token; '' for a run that somebody asked for, which needs no leader
--       2 JSON list of steps   3 fires of a schedule's history to keep   4 seconds a cancelled run's record is kept
-- A step: { id, version, overlap, runs = {{ id, at, why, task, queue, priority, list, expires, message }, ... },
--           pending = the next fire it was decided for, next = the one after ('' for none), due = when that is to run,
--           notes = history entries of fires given up,
--           release = the held fire to let go, instead of advancing }
-- Times are ms as text: cjson would round none of them, but it would write them as floats.
-- Returns for each step {runs submitted, held, left out}, or {-1, 0, 0} when the schedule is no longer as decided for.

if ARGV[1] ~= '' and fenced(ARGV[1]) then
  return FENCED
end
local history, keep = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = now()

local function note(id, entry)
  redis.call('LPUSH', KEY.SCHEDULE_HISTORY .. id, entry)
end

local function entry(run, outcome, because)
  return cjson.encode({ at = tonumber(run.at), decided = at, outcome = outcome, why = run.why,
    run = outcome == 'run' and run.id or nil, because = because })
end

local function active(id)
  local state = id and redis.call('HGET', KEY.RUN .. id, 'state')
  return state and not FINAL[state]
end

-- Does nothing when the run is there already: this is the same fire, decided again.
local function submit(schedule, run)
  if redis.call('HEXISTS', KEY.RUN .. run.id, 'state') == 1 then
    return
  end
  local fields = { 'state', 'queued', 'queue', run.queue, 'priority', run.priority, 'list', run.list,
    'schedule', schedule, 'fire', run.at }
  if run.expires ~= '' then
    table.insert(fields, 'expires')
    table.insert(fields, run.expires)
  end
  -- The message first: it alone can be refused (a list that is none), and then nothing of this step is written.
  redis.call('LPUSH', run.list, run.message)
  create_record(run.id, run.task, at, fields)
  redis.call('HSET', KEY.SCHEDULE .. schedule, 'last_run', run.id, 'last_fire', run.at)
  redis.call('HINCRBY', KEY.SCHEDULE .. schedule, 'fires', 1)
  note(schedule, entry(run, 'run'))
end

local function hold(id, run)
  redis.call('HSET', KEY.SCHEDULE .. id, 'held', run.at)
  redis.call('SADD', KEY.SCHEDULES_HELD, id)
  note(id, entry(run, 'held'))
end

-- Does with a fire what the overlap policy says; returns 'run', 'held' or 'left out'.
local function fire(step, run)
  local last, held = unpack(redis.call('HMGET', KEY.SCHEDULE .. step.id, 'last_run', 'held'))
  if step.overlap == 'cancel_old' and last ~= run.id and active(last) then
    cancel_run(last, 'schedule ' .. step.id .. ' fired again', false, keep)
  end
  local waits = held and not step.release
  if step.overlap == 'allow' or last == run.id or not (waits or active(last)) then
    submit(step.id, run)
    return 'run'
  end
  if step.overlap == 'cancel_old' or (step.overlap == 'queue_one' and not held) then
    if held then
      note(step.id, entry({ at = held, why = run.why }, 'left out', 'a newer fire took its place'))
    end
    hold(step.id, run)
    return 'held'
  end
  note(step.id, entry(run, 'left out', 'run ' .. (last or '') .. ' is not final'))
  return 'left out'
end

local function as_decided(step)
  local version, pending, held, last =
    unpack(redis.call('HMGET', KEY.SCHEDULE .. step.id, 'version', 'next', 'held', 'last_run'))
  if step.release then
    return version == step.version and held == step.release and not active(last)
  end
  return version == step.version and (not step.pending or pending == step.pending)
end

local function advance(step)
  if step.next == '' then
    redis.call('HDEL', KEY.SCHEDULE .. step.id, 'next')
    redis.call('ZREM', KEY.SCHEDULES, step.id)
    return
  end
  redis.call('HSET', KEY.SCHEDULE .. step.id, 'next', step.next)
  if redis.call('HEXISTS', KEY.SCHEDULE .. step.id, 'paused') == 0 then
    redis.call('ZADD', KEY.SCHEDULES, step.due, step.id)
  end
end

local results = {}
for _, step in ipairs(cjson.decode(ARGV[2])) do
  local counts = { run = 0, held = 0, ['left out'] = 0 }
  if not as_decided(step) then
    counts.run = -1
  else
    for _, run in ipairs(step.runs) do
      local outcome = fire(step, run)
      counts[outcome] = counts[outcome] + 1
    end
    for _, text in ipairs(step.notes) do
      note(step.id, text)
    end
    if step.release then
      redis.call('HDEL', KEY.SCHEDULE .. step.id, 'held')
      redis.call('SREM', KEY.SCHEDULES_HELD, step.id)
    elseif step.pending then
      advance(step)
    end
    redis.call('LTRIM', KEY.SCHEDULE_HISTORY .. step.id, 0, history - 1)
  end
  table.insert(results, { counts.run, counts.held, counts['left out'] })
end
return results
