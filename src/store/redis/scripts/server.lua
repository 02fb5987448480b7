-- Shared by all scripts that answer or acknowledge.
--
-- Nobody is answered by a server that the store does not name: it came back, or took over, and may
-- lack what was acknowledged (see meet.lua). A store that is marked names none. The name stands in a
-- field that is called as the store's identity, so that one look finds both out.
--
-- KEYS[1] is the store's identity, ARGV[1] the identity that the caller began with; `named` is that
-- field of `sequences`. The result is an error to reply, or nothing.
local function refusal(sequences, named)
  if named and string.find(redis.call('INFO', 'replication'), named, 1, true) then
    return nil
  end
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return redis.error_reply('FOREIGN the identity of the store has changed')
  end
  if redis.call('HEXISTS', sequences, 'lost') == 1 then
    return redis.error_reply('MARKED acknowledged entries are missing')
  end
  return redis.error_reply('CAMEBACK this server was not compared yet')
end
