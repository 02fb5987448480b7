-- Creates a document, or replaces or removes it if it has not changed since it was read; and its
-- entries in lists.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  the directory's version
-- KEYS[3]  sequence numbers: see meet.lua
-- KEYS[4]  the documents of a kind: a hash of id to <version>:<places in lists>:<body>
-- KEYS[5]  the entries of their lists, <place>/<id> each: a sorted set
-- KEYS[6]  the documents of a kind of which one changes in the same step, if one does
-- KEYS[7]  the entries of their lists
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  id        ARGV[3]  the version it must have, or empty if it must not exist
-- ARGV[4]  1 if every service process must hear of it
-- ARGV[5]  the writer      ARGV[6]  how many documents and pieces of lists it has seen acknowledged
-- ARGV[7]  1 if a server takes it that was not compared, or lacks something: it answers nobody
-- ARGV[8]  body, or empty to remove it      ARGV[9]  its places in lists, with blanks between them
-- ARGV[10] ARGV[11]  with KEYS[6]: the same of that one
-- Reply: 0 if it was not put or removed; -1 if it was by a server that refuses others; else how many
--        documents and pieces the writer has written.

local id = ARGV[2]
local known = redis.call('HMGET', KEYS[3], ARGV[1], 'd:' .. ARGV[5])
local refused = refusal(KEYS[3], known[1])
local always = ARGV[7] == '1' and redis.call('GET', KEYS[1]) == ARGV[1]
if refused and not always then
  return refused
end
if tonumber(known[2] or 0) < tonumber(ARGV[6]) and not always then
  return redis.error_reply('LOST acknowledged documents are missing')
end

-- Puts a document in the place of what is there, or removes that.
local function set(documents, lists, before, version, body, places)
  if before then
    for place in string.gmatch(string.match(before, '^%d+:([^:]*):'), '[^ ]+') do
      redis.call('ZREM', lists, place .. '/' .. id)
    end
  end
  if body == '' then
    redis.call('HDEL', documents, id)
    return
  end
  redis.call('HSET', documents, id, string.format('%d:', version) .. places .. ':' .. body)
  for place in string.gmatch(places, '[^ ]+') do
    redis.call('ZADD', lists, 0, place .. '/' .. id)
  end
end

local before = redis.call('HGET', KEYS[4], id)
local version = ''
if before then
  version = string.match(before, '^(%d+):')
end
if version ~= ARGV[3] then
  return 0
end
local next = 1
if version ~= '' then
  next = tonumber(version) + 1
end
set(KEYS[4], KEYS[5], before, next, ARGV[8], ARGV[9])
if KEYS[6] then
  set(KEYS[6], KEYS[7], redis.call('HGET', KEYS[6], id), 1, ARGV[10], ARGV[11])
end
if ARGV[4] == '1' then
  redis.call('INCR', KEYS[2])
end
if refused then
  return -1
end
return redis.call('HINCRBY', KEYS[3], 'd:' .. ARGV[5], 1)
