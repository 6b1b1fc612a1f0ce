/**
 * What is asked of the store about revocations. The truth is a hash with one sealed standing for each name; a stream tells
 * of each change, so that nobody has to look; a counter shows that nothing was missed of the stream. A standing that is
 * put has been made from the one that it replaces, or nothing is written.
 */
import { EPOCH, PREFIX } from './scripts.js';

export const REVOKED = `${PREFIX}revoked`;
export const STREAM = `${PREFIX}revoked:changes`;
const COUNT = `${PREFIX}revoked:count`;
/** When standings may be forgotten, ms. */
const ENDS = `${PREFIX}revoked:ends`;

/** Changes that are kept for who is slow; whoever missed more reads everything. */
const MAX_CHANGES = 10_000;
/** Ended standings that are removed with each write, and how long after their end (ms): clocks differ. */
const SWEEP = 100;
const LATE = 3_600_000;

const command = (script: string, keys: readonly string[], args: readonly string[]): readonly string[] => [
  'EVAL',
  script,
  String(keys.length),
  ...keys,
  ...args,
];

const WRITE = `
local function write(field, value, ends)
  redis.call('HSET', KEYS[1], field, value)
  local count = redis.call('INCR', KEYS[3])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ${MAX_CHANGES}, '*', 'n', count, 'f', field, 'v', value)
  if ends == '' then redis.call('ZREM', KEYS[4], field) else redis.call('ZADD', KEYS[4], ends, field) end
end
`;
const KEYS = [REVOKED, STREAM, COUNT, ENDS];

const LOOK = `
local time = redis.call('TIME')
return {string.format('%.0f', time[1] * 1000000 + time[2]), redis.call('HGET', KEYS[1], ARGV[1]) or ''}
`;
/** Gives the store's time, µs, and the standing of a name. */
export const lookAt = (field: string): readonly string[] => command(LOOK, [REVOKED], [field]);

const PUT = `${WRITE}
local held = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if held ~= ARGV[2] then return {'held', held} end
write(ARGV[1], ARGV[3], ARGV[4])
local time = redis.call('TIME')
local over = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', time[1] * 1000 - ${LATE}, 'LIMIT', 0, ${SWEEP})
for _, field in ipairs(over) do
  redis.call('HDEL', KEYS[1], field)
  redis.call('ZREM', KEYS[4], field)
end
return {'written'}
`;

export interface PutCommand {
  readonly field: string;
  readonly expected: string;
  readonly value: string;
  /** ms; Infinity: never. */
  readonly ends: number;
}
const endsText = (ends: number): string => (ends === Infinity ? '' : String(Math.ceil(ends)));

/** Puts a standing in place of the expected one; else `held`, and what is there. */
export const putStanding = ({ field, expected, value, ends }: PutCommand): readonly string[] =>
  command(PUT, KEYS, [field, expected, value, endsText(ends)]);

const RESTORE = `${WRITE}
for i = 1, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then write(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
end
return {'written'}
`;
/** Puts standings where there are none. */
export const restore = (standings: readonly Omit<PutCommand, 'expected'>[]): readonly string[] =>
  command(
    RESTORE,
    KEYS,
    standings.flatMap(({ field, value, ends }) => [field, value, endsText(ends)]),
  );

const BEGIN = `
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {redis.call('GET', KEYS[3]) or '', redis.call('GET', KEYS[1]) or '0', last[1] and last[1][1] or '0-0'}
`;
/** Gives the epoch, the number of changes, and the last entry of the stream. */
export const beginReading = (): readonly string[] => command(BEGIN, [COUNT, STREAM, EPOCH], []);

/** Standings that are read at once: some ms of work here, between which checks are answered. */
const BATCH = '500';
export const readSome = (cursor: string): readonly string[] => ['HSCAN', REVOKED, cursor, 'COUNT', BATCH];

/** `block` in ms. */
export const awaitChanges = (after: string, block: number): readonly string[] => [
  'XREAD',
  'COUNT',
  BATCH,
  'BLOCK',
  String(block),
  'STREAMS',
  STREAM,
  after,
];
