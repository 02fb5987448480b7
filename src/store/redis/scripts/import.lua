-- Puts members into buckets, or takes them out. It does not append: what a whole list did is one
-- entry at its beginning and one at its end.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  sequence numbers: see meet.lua
-- KEYS[3..]  buckets
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  the writer      ARGV[3], ARGV[4]  how many entries, and how many documents and pieces of
--          lists, it has seen acknowledged
-- ARGV[5]  empty to put them in; to take them out, how many pieces had been put in for their seller
--          before it was looked up which of them other lists have
-- ARGV[6]  the index's new version      ARGV[7]  the field of KEYS[2] that counts those pieces
-- ARGV[8]  how many members each bucket gets: one byte a bucket
-- ARGV[9..]  the members, bucket by bucket
-- Reply: how many were new, or were there, and -1 if others were put in since, and nothing was done;
--        how many documents and pieces the writer has written.

local writer = ARGV[2]
local before = redis.call('HMGET', KEYS[2], ARGV[1], 'w:' .. writer, 'd:' .. writer, ARGV[7])
local refused = refusal(KEYS[2], before[1])
if refused then
  return refused
end
if tonumber(before[2] or 0) < tonumber(ARGV[3]) or tonumber(before[3] or 0) < tonumber(ARGV[4]) then
  return redis.error_reply('LOST acknowledged entries are missing')
end

local counts = ARGV[8]
local call, byte = redis.call, string.byte
local what, changed, at = 'SADD', 0, 9
if ARGV[5] == '' then
  call('HINCRBY', KEYS[2], ARGV[7], 1)
elseif ARGV[5] == (before[4] or '0') then
  what = 'SREM'
else
  return {-1, call('HINCRBY', KEYS[2], 'd:' .. writer, 1)}
end
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
