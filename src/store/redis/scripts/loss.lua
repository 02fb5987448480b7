-- Marks a store that lacks what it had acknowledged, or takes the mark away: the operator goes on
-- without what is missing.
--
-- KEYS[1]  the store's identity
-- KEYS[2]  sequence numbers: see meet.lua      KEYS[3]  the roster
-- ARGV[1]  the identity that the caller began with
-- ARGV[2]  what the mark says, or empty to take it away
-- Reply: 1; 0 if the store was marked before, or was not marked.

local call = redis.call
if call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FOREIGN the identity of the store has changed')
end
if ARGV[2] ~= '' then
  call('HDEL', KEYS[2], ARGV[1])
  return call('HSETNX', KEYS[2], 'lost', ARGV[2])
end
if call('HDEL', KEYS[2], 'lost') == 0 then
  return 0
end
-- From the new era on, everybody forgets what was acknowledged to them before. The roster says that,
-- too, and is begun anew.
call('HINCRBY', KEYS[2], 'era', 1)
call('DEL', KEYS[3])
call('HSET', KEYS[2], ARGV[1], string.match(call('INFO', 'replication'), 'master_replid:%x+'))
return 1
