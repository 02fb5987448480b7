-- A process meets the others that share the store: it tells what was acknowledged to it, hears what
-- was acknowledged to them, and compares both with what this server holds.
--
-- Every server has a name of its own, its replication id, that it takes at each start and when it is
-- promoted. Nobody is answered by a server that the store does not name. A store that came back, or
-- a replica that took over, is named once everybody who shares it has compared.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  sequence numbers: a hash of w:<writer> (entries), d:<writer> (documents and pieces of
--          lists) and c:<client>; index, the index's version; under the store's identity the server
--          that was compared, in the words in which a server says its name (INFO); lost, what is
--          missing, where the store is marked; era, how often the operator has accepted that
-- KEYS[3]  the roster: a hash of writer to '<beat> <entries> <documents> <server>', the last being
--          the server on which it has compared, '-' for none, or 'left'
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  the caller, as a writer
-- ARGV[3]  its beat: another one from time to time, so that others see that it lives
-- ARGV[4]  the era that it knows, or empty when it has just come
-- ARGV[5]  the server for which it has made ready to compare, or empty
-- ARGV[6]  1 if it may name that server: whoever has not come by now counts as dead
-- ARGV[7]  what to mark the store with if something is missing
-- ARGV[8]  how many on the roster count as dead; then for each its writer and its row as it was
-- ARGV[..] then, the caller first, of all that it knows: writer, acknowledged entries, documents
-- Reply: accepted, lost, comparing or settled; this server; the era; whether a server was named
--        before; the roster, flat.

local call = redis.call
if call('GET', KEYS[1]) ~= ARGV[1] then
  call('HDEL', KEYS[2], ARGV[1])
  return redis.error_reply('FOREIGN the identity of the store has changed')
end
local here = string.match(call('INFO', 'replication'), 'master_replid:%x+')
local found = call('HMGET', KEYS[2], ARGV[1], 'lost', 'era')
local server, lost, era = found[1], found[2], tonumber(found[3] or 0)
local known = tonumber(ARGV[4])
if known and era > known then
  -- What the caller misses, the operator goes on without.
  return {'accepted', here, era, 1, {}}
end

local at = 8
for _ = 1, tonumber(ARGV[8]) do
  -- Whoever is not dead has another row by now.
  if call('HGET', KEYS[3], ARGV[at + 1]) == ARGV[at + 2] then
    call('HDEL', KEYS[3], ARGV[at + 1])
  end
  at = at + 2
end

local row = ARGV[3] .. ' ' .. ARGV[at + 2] .. ' ' .. ARGV[at + 3] .. ' '
local missing = known and era < known
for next = at + 1, #ARGV, 3 do
  local has = call('HMGET', KEYS[2], 'w:' .. ARGV[next], 'd:' .. ARGV[next])
  missing = missing
    or tonumber(has[1] or 0) < tonumber(ARGV[next + 1])
    or tonumber(has[2] or 0) < tonumber(ARGV[next + 2])
end
if missing and not lost then
  lost, server = ARGV[7], false
  -- An older era came back with the rest; what is accepted next must be newer than both.
  call('HSET', KEYS[2], 'lost', lost, 'era', math.max(era, known or 0))
  call('HDEL', KEYS[2], ARGV[1])
end

local compared = not lost and (server == here or ARGV[5] == here)
row = row .. (compared and here or '-')
if call('HGET', KEYS[3], ARGV[2]) ~= row then
  call('HSET', KEYS[3], ARGV[2], row)
end
local roster = call('HGETALL', KEYS[3])
local status = 'settled'
if lost then
  status = 'lost'
elseif server ~= here then
  local all = compared and ARGV[6] == '1'
  for next = 2, #roster, 2 do
    local word = string.match(roster[next], '%S+$')
    all = all and (word == here or word == 'left')
  end
  if all then
    call('HSET', KEYS[2], ARGV[1], here)
  else
    status = 'comparing'
  end
end
return {status, here, era, server and 1 or 0, roster}
