-- Takes or renews a lease.
--
-- KEYS  1 the lease
-- ARGV  1 who asks, 2 for how many milliseconds
-- Reply: 1 if the one who asks holds it now, 0 if another does.
--
-- A script, because looking and taking must be one step. Redis ends a lease by the clock of its
-- machine: one that has more left than any lease lasts was given before that clock was set back, by
-- somebody who would have renewed it since, and is over.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and redis.call('PTTL', KEYS[1]) <= tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
