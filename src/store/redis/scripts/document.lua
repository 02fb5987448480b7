-- Creates a document, or replaces or removes it if it has not changed since it was read.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  the documents of a kind: a hash of id to <version>:<body>
-- KEYS[3]  the directory's version
-- KEYS[4]  sequence numbers; it says whether the store is marked
-- ARGV[1]  the identity that the caller began with, or empty before it has begun
-- ARGV[2]  id        ARGV[3]  the version it must have, or empty if it must not exist
-- ARGV[4]  body, or empty to remove it
-- ARGV[5]  1 if every service process must hear of it
-- ARGV[6]  1 if a store that is marked takes it, too
-- Reply: 1 if it was put or removed, 0 if not.

if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FOREIGN the identity of the store has changed')
end
if ARGV[6] ~= '1' and redis.call('HEXISTS', KEYS[4], 'lost') == 1 then
  return redis.error_reply('MARKED acknowledged entries are missing')
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
if ARGV[5] == '1' then
  redis.call('INCR', KEYS[3])
end
return 1
