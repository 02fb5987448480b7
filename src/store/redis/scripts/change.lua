-- Makes a batch of changes and appends it: one atomic step.
--
-- KEYS[4..]    two keys a change: the number's bucket, and who holds what there (a hash of
--              <registration> to <version>:<member>,<member>,…, and of #<member> to how many
--              registrations hold it)
-- ARGV[first+1..]  five values a change: what to do (P put, R remove, N note only), its client
--              (0: none), the registration, its version, the member; after them all, the index's new
--              version, or empty if nothing in it is touched
-- Reply: the verdicts; the writer's number, 0 for notes that do not count as acknowledged; the
--        newer version for each change that is outdated.

local call = redis.call

-- First, so that no change is without it, even if the script should be broken off.
local version = ARGV[first + items * 5 + 1]
if version ~= '' then
  call('HSET', KEYS[3], 'index', version)
end

-- What a registration holds of a number, by both.
local holdings = {}

local function holding_of(holders, registration)
  local name = holders .. registration
  local holding = holdings[name]
  if not holding then
    holding = {holders = holders, registration = registration, version = 0, members = {}}
    local text = call('HGET', holders, registration)
    if text then
      holding.version = tonumber(string.match(text, '^%d+'))
      for member in string.gmatch(text, '[:,](%-?%d+)') do
        holding.members[member] = true
      end
    end
    holdings[name] = holding
  end
  return holding
end

local client_of, newer, touched = {}, {}, {}
for change = 1, items do
  local at = first + (change - 1) * 5
  local action, member = ARGV[at + 1], ARGV[at + 5]
  client_of[change] = tonumber(ARGV[at + 2])
  verdicts[change] = '4'
  if action ~= 'N' then
    local bucket, holders = KEYS[2 + change * 2], KEYS[3 + change * 2]
    local holding = holding_of(holders, ARGV[at + 3])
    local wanted = tonumber(ARGV[at + 4])
    if wanted < holding.version then
      verdicts[change] = '6'
      newer[#newer + 1] = string.format('%d', holding.version)
    else
      holding.version = wanted
      touched[holding] = true
      local put = action == 'P'
      if put == (holding.members[member] or false) then
        verdicts[change] = '5'
      elseif put then
        holding.members[member] = true
        if call('HINCRBY', holders, '#' .. member, 1) == 1 then
          call('SADD', bucket, member)
        end
      else
        holding.members[member] = nil
        if call('HINCRBY', holders, '#' .. member, -1) == 0 then
          call('HDEL', holders, '#' .. member)
          call('SREM', bucket, member)
        end
      end
    end
  end
end

-- Where nothing is held any more, the version stays.
for holding in pairs(touched) do
  local members = {}
  for member in pairs(holding.members) do
    members[#members + 1] = member
  end
  call('HSET', holding.holders, holding.registration,
    string.format('%d:', holding.version) .. table.concat(members, ','))
end

local number = append(client_of)
return {table.concat(verdicts), refused and 0 or number, newer}
