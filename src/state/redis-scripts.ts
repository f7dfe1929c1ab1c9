/**
 * What has to happen at once in Redis, as scripts over one key each, which is what every Redis and every service like it
 * runs. Times come as arguments: the clocks of the replicas count, not that of Redis.
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

/** Begins the field of each record in their hash, and keeps it apart from the fields that tell the version. */
export const recordPrefix = 'record:';

/**
 * All records, with the version they are. Version and records are one hash, so that they cannot be lost apart.
 * KEYS: the hash. ARGV: the version that is known, a new epoch. Returns false when nothing changed, or
 * `[epoch, number, stamp, [field, value, …]]`.
 */
export const readRecordsScript = `
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[4])
redis.call('HSETNX', KEYS[1], 'number', 0)
local now = redis.call('HMGET', KEYS[1], 'epoch', 'number', 'stamp')
if now[1] == ARGV[1] and now[2] == ARGV[2] and (now[3] or '') == ARGV[3] then return false end
return { now[1], now[2], now[3] or '', redis.call('HGETALL', KEYS[1]) }
`;

/**
 * Puts a record. KEYS: the hash. ARGV: field, value, a new epoch, a new stamp, the most records. Returns 1, or 0 when
 * there are too many.
 */
export const putRecordScript = `
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[3])
redis.call('HSETNX', KEYS[1], 'number', 0)
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) + 3 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], 'stamp', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'number', 1)
return 1
`;

/** Removes a record. KEYS: the hash. ARGV: field, a new stamp. Returns 1, or 0 when there was none. */
export const removeRecordScript = `
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'stamp', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'number', 1)
return 1
`;
