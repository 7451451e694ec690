package redislog

import "github.com/redis/go-redis/v9"

// readScript returns Redis' time; the entries from ARGV[1] on, itself
// included, ARGV[2] at most; the first entry, if ARGV[1] is not there; the
// last one; and the one at ARGV[3]: all of one moment.
var readScript = redis.NewScript(`
local now = redis.call('TIME')
local page = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
local first = {}
if not page[1] or page[1][1] ~= ARGV[1] then
  first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
end
return {now, page, first, redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1), redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])}
`)

// guard is the beginning of what writes: it returns unless the last entry has
// the id ARGV[1] and the hash ARGV[2] (both are empty before the first), and
// the time ARGV[3], in microseconds, is not older than a second.
const guard = `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if ARGV[1] == '' then
  if last then return 'moved' end
else
  local tail = '"hash":"' .. ARGV[2] .. '"}'
  if not last or last[1] ~= ARGV[1] or string.sub(last[2][2], -#tail) ~= tail then return 'moved' end
end
if ARGV[3] ~= '' then
  local now = redis.call('TIME')
  if now[1] * 1000000 + now[2] - ARGV[3] > 1000000 then return 'stale' end
end
`

// appendScript adds entries with the append id ARGV[4]: ids and lines follow.
var appendScript = redis.NewScript(guard + `
for i = 5, #ARGV, 2 do
  redis.call('XADD', KEYS[1], ARGV[i], 'line', ARGV[i + 1], 'append', ARGV[4])
end
return 'added'
`)

// restartScript does the same to a stream that is empty again: what was in it
// is moved to KEYS[2], for ARGV[5] milliseconds.
var restartScript = redis.NewScript(guard + `
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
for i = 6, #ARGV, 2 do
  redis.call('XADD', KEYS[1], ARGV[i], 'line', ARGV[i + 1], 'append', ARGV[4])
end
return 'added'
`)

// stageScript adds to a stream that is being imported, and keeps it for
// another ARGV[5] milliseconds.
var stageScript = redis.NewScript(guard + `
for i = 6, #ARGV, 2 do
  redis.call('XADD', KEYS[1], ARGV[i], 'line', ARGV[i + 1], 'append', ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'added'
`)

// adoptScript makes an imported stream the log, if there is none.
var adoptScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 'moved' end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PERSIST', KEYS[2])
return 'added'
`)
