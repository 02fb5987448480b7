-- Puts members into buckets, or takes them out. It does not append: what a whole list did is one
-- entry at its beginning and one at its end.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  sequence numbers: see meet.lua
-- KEYS[3..]  buckets
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  the writer      ARGV[3], ARGV[4]  how many entries, and how many documents and pieces of
--          lists, it has seen acknowledged
-- ARGV[5]  SADD or SREM      ARGV[6]  the index's new version
-- ARGV[7]  how many members each bucket gets: one byte a bucket
-- ARGV[8..]  the members, bucket by bucket
-- Reply: how many were new, or were there; how many documents and pieces the writer has written.

local writer = ARGV[2]
local before = redis.call('HMGET', KEYS[2], ARGV[1], 'w:' .. writer, 'd:' .. writer)
local refused = refusal(KEYS[2], before[1])
if refused then
  return refused
end
if tonumber(before[2] or 0) < tonumber(ARGV[3]) or tonumber(before[3] or 0) < tonumber(ARGV[4]) then
  return redis.error_reply('LOST acknowledged entries are missing')
end

local what, counts = ARGV[5], ARGV[7]
local call, byte = redis.call, string.byte
local changed, at = 0, 8
call('HSET', KEYS[2], 'index', ARGV[6])
for bucket = 3, #KEYS do
  local count = byte(counts, bucket - 2)
  if count == 1 then
    changed = changed + call(what, KEYS[bucket], ARGV[at])
  else
    changed = changed + call(what, KEYS[bucket], unpack(ARGV, at, at + count - 1))
  end
  at = at + count
end
return {changed, call('HINCRBY', KEYS[2], 'd:' .. writer, 1)}
