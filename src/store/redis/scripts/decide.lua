-- Decides a batch of asks and appends it: one atomic step.
--
-- KEYS[4..]    each ask's bucket (a set of integers), then each remembered ref's key
-- ARGV[first+1]   each ask's client (0: none), two bytes an ask, the higher first
-- ARGV[first+2..]  six members an ask that would refuse it, those for all sellers first; all empty
--              when the number is unreadable. Then, for each ref: the ask's place, what to remember after the verdict, and for
--              how many milliseconds.
-- Reply: the verdicts, the writer's number, and for each repeated ref the ask's place and what was
--        remembered.

local call, byte = redis.call, string.byte
local client_of, client_bytes = {}, ARGV[first + 1]
local at = first + 1
for ask = 1, items do
  local high, low = byte(client_bytes, 2 * ask - 1, 2 * ask)
  client_of[ask] = high * 256 + low
  local member = ARGV[at + 1]
  if member == '' then
    verdicts[ask] = '3'
  else
    local found = call('SMISMEMBER', KEYS[3 + ask],
      member, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], ARGV[at + 6])
    if found[1] == 1 or found[2] == 1 or found[3] == 1 then
      verdicts[ask] = '1'
    elseif found[4] == 1 or found[5] == 1 or found[6] == 1 then
      verdicts[ask] = '2'
    else
      verdicts[ask] = '0'
    end
  end
  at = at + 6
end

local repeated = {}
for ref = 1, #KEYS - 3 - items do
  local key = KEYS[3 + items + ref]
  local ask = tonumber(ARGV[at + 1])
  local before = call('GET', key)
  if before and string.sub(before, 1, 1) == verdicts[ask] then
    verdicts[ask] = '5'
    repeated[#repeated + 1] = tostring(ask)
    repeated[#repeated + 1] = before
  else
    call('SET', key, verdicts[ask] .. ARGV[at + 2], 'PX', ARGV[at + 3])
  end
  at = at + 3
end

local number = append(client_of)
return {table.concat(verdicts), number, repeated}
