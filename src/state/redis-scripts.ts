/**
 * The operations that must be atomic in Redis, as scripts. Each uses one key, so that it runs on clusters and compatible
 * services too. Times are arguments, because the clocks of the replicas count, not that of Redis.
 */

/**
 * The newest failures of a name, newest first, at most `max`. Begins an attempt unless they lock the name.
 * KEYS: the list. ARGV: max, window in ms, now in ms. Returns 1, or 0 when locked.
 */
export const beginAttemptScript = `
local max, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local failures = redis.call('LRANGE', KEYS[1], 0, max - 1)
if #failures >= max then
  local newest, oldest = tonumber(failures[1]), tonumber(failures[max])
  if newest - oldest < window and now - newest < window then return 0 end
end
redis.call('LPUSH', KEYS[1], ARGV[3])
redis.call('LTRIM', KEYS[1], 0, max - 1)
redis.call('PEXPIRE', KEYS[1], 2 * window)
return 1
`;

/** Deletes a key that has this value. KEYS: the key. ARGV: the value. Returns 1, or 0 when there was none. */
export const deleteOwnScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

/** The prefix of the fields of records, which sets them apart from the fields of the version. */
export const recordPrefix = 'record:';

/** Number of past versions that are remembered. A replica with an older version cannot tell whether records were lost. */
const rememberedVersions = 500;

/**
 * Version and records are one hash, so that one cannot be lost without the other. Each change has a number and a stamp. The
 * latest stamps are kept, so that a replica notices when Redis was rolled back and then changed differently.
 */
const lua = `
local function begin(epoch)
  redis.call('HSETNX', KEYS[1], 'epoch', epoch)
  redis.call('HSETNX', KEYS[1], 'number', 0)
end
local function changed(stamp)
  local number = redis.call('HINCRBY', KEYS[1], 'number', 1)
  redis.call('HSET', KEYS[1], 'stamp:' .. number, stamp)
  redis.call('HDEL', KEYS[1], 'stamp:' .. (number - ${rememberedVersions}))
end
local function size()
  local number = tonumber(redis.call('HGET', KEYS[1], 'number'))
  return redis.call('HLEN', KEYS[1]) - 2 - math.min(number, ${rememberedVersions})
end
`;

/**
 * All records, with their version. It writes only when there is no hash yet, so that a Redis that is full, or cannot
 * save, can still be read.
 * KEYS: the hash. ARGV: epoch, number and stamp that are known, a new epoch. Returns false when nothing changed, or
 * `[epoch, number, stamp, isContinued, [field, value, …]]`.
 */
export const readRecordsScript: string = `${lua}
if redis.call('EXISTS', KEYS[1]) == 0 then begin(ARGV[4]) end
local epoch, number = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'number'))
local stamp = redis.call('HGET', KEYS[1], 'stamp:' .. number) or ''
if epoch == ARGV[1] and number == ARGV[2] and stamp == ARGV[3] then return false end
local known = redis.call('HGET', KEYS[1], 'stamp:' .. ARGV[2]) or ''
local isContinued = epoch == ARGV[1] and known == ARGV[3] and (known ~= '' or ARGV[2] == '0')
return { epoch, number, stamp, isContinued and 1 or 0, redis.call('HGETALL', KEYS[1]) }
`;

/**
 * Puts a record. KEYS: the hash. ARGV: field, value, a new epoch, a new stamp, the most records. Returns 1, or 0 when
 * there are too many.
 */
export const putRecordScript: string = `${lua}
begin(ARGV[3])
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and size() >= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
changed(ARGV[4])
return 1
`;

/** Puts back records that are not there. KEYS: the hash. ARGV: a new epoch, a new stamp, then field and value in turn. */
export const restoreRecordsScript: string = `${lua}
begin(ARGV[1])
for index = 3, #ARGV - 1, 2 do redis.call('HSETNX', KEYS[1], ARGV[index], ARGV[index + 1]) end
changed(ARGV[2])
return 1
`;

/** Removes a record. KEYS: the hash. ARGV: field, a new stamp. Returns 1, or 0 when there was none. */
export const removeRecordScript: string = `${lua}
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
changed(ARGV[2])
return 1
`;
