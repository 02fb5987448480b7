-- Creates a document, or replaces or removes it if it has not changed since it was read.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  the documents of a kind: a hash of id to <version>:<body>
-- KEYS[3]  the directory's version
-- KEYS[4]  sequence numbers: see meet.lua
-- KEYS[5]  the documents of a kind of which one changes in the same step, if one does
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  id        ARGV[3]  the version it must have, or empty if it must not exist
-- ARGV[4]  body, or empty to remove it
-- ARGV[5]  1 if every service process must hear of it
-- ARGV[6]  the writer      ARGV[7]  how many documents and pieces of lists it has seen acknowledged
-- ARGV[8]  1 if a server takes it that was not compared, or lacks something: it answers nobody
-- ARGV[9]  with KEYS[5]: the body of that one, or empty to remove it
-- Reply: 0 if it was not put or removed; -1 if it was by a server that refuses others; else how many
--        documents and pieces the writer has written.

local known = redis.call('HMGET', KEYS[4], ARGV[1], 'd:' .. ARGV[6])
local refused = refusal(KEYS[4], known[1])
local always = ARGV[8] == '1' and redis.call('GET', KEYS[1]) == ARGV[1]
if refused and not always then
  return refused
end
if tonumber(known[2] or 0) < tonumber(ARGV[7]) and not always then
  return redis.error_reply('LOST acknowledged documents are missing')
end
local before = redis.call('HGET', KEYS[2], ARGV[2])
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
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[2], ARGV[2])
else
  redis.call('HSET', KEYS[2], ARGV[2], string.format('%d:', next) .. ARGV[4])
end
if KEYS[5] and ARGV[9] == '' then
  redis.call('HDEL', KEYS[5], ARGV[2])
elseif KEYS[5] then
  redis.call('HSET', KEYS[5], ARGV[2], '1:' .. ARGV[9])
end
if ARGV[5] == '1' then
  redis.call('INCR', KEYS[3])
end
if refused then
  return -1
end
return redis.call('HINCRBY', KEYS[4], 'd:' .. ARGV[6], 1)
