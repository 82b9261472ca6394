-- Cancels runs by id.
--
-- ARGV  1 reason   2 1 to ask for termination of what runs   3 seconds a final record is kept   4... ids
-- Returns for each {outcome, state}: outcome is unknown, final, cancelled (it waited) or requested (a worker has it).

local answer = {}
for i = 4, #ARGV do
  answer[#answer + 1] = { cancel_run(ARGV[i], ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])) }
end
return answer
