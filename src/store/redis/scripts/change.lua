-- Makes a batch of changes and appends it: one atomic step.
--
-- KEYS[4..]    two keys a change: the number's bucket, and its listings (a hash of
--              <registration>/<seller> to member)
-- ARGV[first+1..]  four values a change: what to do (P put, R remove, N note only), its client
--              (0: none), the listing's field, the member; after them all, the index's new
--              version, or empty if nothing in it is touched
-- Reply: the verdicts, the writer's number; 0 for notes that do not count as acknowledged.

-- Members that a listing of a number stood for before, by the key of its listings, and its bucket.
local released, bucket_of = {}, {}

local function release(bucket, listings, member)
  bucket_of[listings] = bucket
  released[listings] = released[listings] or {}
  released[listings][member] = true
end

-- First, so that no change is without it, even if the script should be broken off.
local version = ARGV[first + items * 4 + 1]
if version ~= '' then
  redis.call('HSET', KEYS[3], 'index', version)
end

local client_of = {}
for change = 1, items do
  local at = first + (change - 1) * 4
  local action, field, member = ARGV[at + 1], ARGV[at + 3], ARGV[at + 4]
  local bucket, listings = KEYS[2 + change * 2], KEYS[3 + change * 2]
  client_of[change] = tonumber(ARGV[at + 2])
  verdicts[change] = '4'
  if action ~= 'N' then
    local before = redis.call('HGET', listings, field)
    if action == 'P' then
      if before == member then
        verdicts[change] = '5'
      else
        redis.call('HSET', listings, field, member)
        redis.call('SADD', bucket, member)
        if before then
          release(bucket, listings, before)
        end
      end
    elseif before then
      redis.call('HDEL', listings, field)
      release(bucket, listings, before)
    else
      verdicts[change] = '5'
    end
  end
end

-- Takes them out of the index unless another listing of the number still stands for them. A number's
-- listings are read once, however many of them have gone.
for listings, members in pairs(released) do
  for _, held in ipairs(redis.call('HVALS', listings)) do
    members[held] = nil
  end
  for member in pairs(members) do
    redis.call('SREM', bucket_of[listings], member)
  end
end

local number = append(client_of)
return {table.concat(verdicts), refused and 0 or number}
