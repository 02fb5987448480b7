-- Puts members into buckets, or takes them out. It does not append: what a whole list did is one
-- entry at its beginning and one at its end.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  sequence numbers: a hash of w:<writer> and c:<client>, and the index's version
-- KEYS[3..]  buckets
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  the writer      ARGV[3]  the highest sequence number that it has seen acknowledged
-- ARGV[4]  SADD or SREM      ARGV[5]  the index's new version
-- ARGV[6]  how many members each bucket gets: one byte a bucket
-- ARGV[7..]  the members, bucket by bucket
-- Reply: how many were new, or were there.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FOREIGN the identity of the store has changed')
end
if redis.call('HEXISTS', KEYS[2], 'lost') == 1 then
  return redis.error_reply('MARKED acknowledged entries are missing')
end
if tonumber(redis.call('HGET', KEYS[2], 'w:' .. ARGV[2]) or 0) < tonumber(ARGV[3]) then
  return redis.error_reply('LOST acknowledged entries are missing')
end

local what, counts = ARGV[4], ARGV[6]
local call, byte = redis.call, string.byte
local changed, at = 0, 7
call('HSET', KEYS[2], 'index', ARGV[5])
for bucket = 3, #KEYS do
  local count = byte(counts, bucket - 2)
  if count == 1 then
    changed = changed + call(what, KEYS[bucket], ARGV[at])
  else
    changed = changed + call(what, KEYS[bucket], unpack(ARGV, at, at + count - 1))
  end
  at = at + count
end
return changed
