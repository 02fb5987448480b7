-- Appends a batch of asks that were decided outside, if the index is still as it was read: one
-- atomic step.
--
-- ARGV[first+1]  each ask's client (0: none), two bytes an ask, the higher first
-- ARGV[first+2]  the verdicts, a character an ask
-- ARGV[first+3]  the index's version when they were read
-- Reply: the writer's number; nothing if the index has changed since.

if (redis.call('HGET', KEYS[3], 'index') or '') ~= ARGV[first + 3] then
  return false
end

local byte = string.byte
local client_of, client_bytes = {}, ARGV[first + 1]
for ask = 1, items do
  local high, low = byte(client_bytes, 2 * ask - 1, 2 * ask)
  client_of[ask] = high * 256 + low
  verdicts[ask] = string.sub(ARGV[first + 2], ask, ask)
end
return append(client_of)
