-- Shared by the scripts that append entries.
--
-- Why Lua and not MULTI: what is appended depends on what is found, and nothing may come between.
-- Redis runs a script alone, and writes its effects to the append-only file as one transaction.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  the tail: a stream; one entry a batch, with fields
--          p packed batch, v a verdict a item, w the writer's last number before, c each client's
-- KEYS[3]  sequence numbers: see meet.lua
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  the packed batch
-- ARGV[3]  the writer
-- ARGV[4]  the highest sequence number that the writer has seen acknowledged, with an N in front
--          when all are notes
-- ARGV[5]  how many items
-- ARGV[6]  how many clients, then their names

local items = tonumber(ARGV[5])
local clients = tonumber(ARGV[6])
local first = 6 + clients
local verdicts = {}

-- Whose numbers the batch takes: the writer's, then each client's.
local names = {'w:' .. ARGV[3]}
for client = 1, clients do
  names[1 + client] = 'c:' .. ARGV[6 + client]
end
names[2 + clients] = ARGV[1]
local numbers = redis.call('HMGET', KEYS[3], unpack(names))

-- Notes are taken by every server: they answer nobody. Where the others are refused they do not
-- count as acknowledged.
local noting = string.byte(ARGV[4]) == 78
local refused = refusal(KEYS[3], numbers[2 + clients])
if refused and not (noting and redis.call('GET', KEYS[1]) == ARGV[1]) then
  return refused
end

-- A store that knows less than was acknowledged has lost entries, perhaps opt-outs. It must answer
-- nothing.
local seen = tonumber(noting and string.sub(ARGV[4], 2) or ARGV[4])
local last = tonumber(numbers[1] or 0)
if last < seen then
  if not noting then
    return redis.error_reply('LOST ' .. (seen - last) .. ' acknowledged entries are missing')
  end
  last = seen
end

-- Appends the batch unless nothing new is in it. Numbers are contiguous: only what becomes an
-- entry takes one. After a loss the numbering leaves a gap, so that everybody sees it.
-- Returns the writer's number after the batch.
local function append(client_of)
  local taken, total = {}, 0
  for item = 1, items do
    if verdicts[item] < '5' then
      total = total + 1
      local client = client_of[item]
      taken[client] = (taken[client] or 0) + 1
    end
  end
  if total == 0 then
    return last
  end
  local before, after = {}, {names[1], last + total}
  for client = 1, clients do
    local number = tonumber(numbers[1 + client] or 0)
    before[client] = number
    after[#after + 1] = names[1 + client]
    after[#after + 1] = number + (taken[client] or 0)
  end
  redis.call('XADD', KEYS[2], '*', 'p', ARGV[2], 'v', table.concat(verdicts),
    'w', last, 'c', table.concat(before, ','))
  redis.call('HSET', KEYS[3], unpack(after))
  return last + total
end
