-- Decides a batch of asks and appends it: one atomic step.
--
-- KEYS[4..]    each ask's bucket (a set of integers), then each remembered ref's key
-- ARGV[first+1..]  seven values an ask: its client (0: none), then the six members that would
--              refuse it, those for all sellers first; all empty when the number is unreadable.
--              Then, for each ref: the ask's place, what to remember after the verdict, and for
--              how many milliseconds.
-- Reply: the verdicts, the writer's number, and for each repeated ref the ask's place and what was
--        remembered.

local client_of = {}
for ask = 1, items do
  local at = first + (ask - 1) * 7
  client_of[ask] = tonumber(ARGV[at + 1])
  local member = ARGV[at + 2]
  if member == '' then
    verdicts[ask] = '3'
  else
    local found = redis.call('SMISMEMBER', KEYS[3 + ask],
      member, ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7])
    if found[1] == 1 or found[2] == 1 or found[3] == 1 then
      verdicts[ask] = '1'
    elseif found[4] == 1 or found[5] == 1 or found[6] == 1 then
      verdicts[ask] = '2'
    else
      verdicts[ask] = '0'
    end
  end
end

local repeated = {}
local at = first + items * 7
for ref = 1, #KEYS - 3 - items do
  local key = KEYS[3 + items + ref]
  local ask = tonumber(ARGV[at + 1])
  local before = redis.call('GET', key)
  if before and string.sub(before, 1, 1) == verdicts[ask] then
    verdicts[ask] = '5'
    repeated[#repeated + 1] = tostring(ask)
    repeated[#repeated + 1] = before
  else
    redis.call('SET', key, verdicts[ask] .. ARGV[at + 2], 'PX', ARGV[at + 3])
  end
  at = at + 3
end

local number = append(client_of)
return {table.concat(verdicts), number, repeated}
