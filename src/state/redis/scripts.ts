/**
 * What is asked of the store in one step that nothing can come between: Lua, run by the server (Redis 6, Valkey). Each
 * function gives the whole command. Layout and lifetimes are in docs/store.md.
 *
 * The store has an **epoch**: the server's run and the moment when it was first seen. A server that was restarted,
 * replaced or emptied has another one. What guards knew may be missing there; they write it again, and until they had
 * the time to do so (`settle`) nobody gets a new pin.
 */
export const PREFIX = 'firsthand:1:';
export const EPOCH = `${PREFIX}epoch`;
/** Pins that changed after they were written, in the order of `sequence`. */
const CHANGED = `${PREFIX}changed`;
const SEQUENCE = `${PREFIX}sequence`;

/** The value of a use. */
export const USED = '1';

/** A guard that has not looked for so many changes looks at all of its pins instead. */
const MAX_CHANGES = 10_000;

const command = (script: string, keys: readonly string[], args: readonly (string | number)[]): readonly string[] => [
  'EVAL',
  script,
  String(keys.length),
  ...keys,
  ...args.map(String),
];

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

const GREET = `${NOW}
local epoch = redis.call('GET', KEYS[1])
if not epoch or string.sub(epoch, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then
  epoch = ARGV[1] .. ' ' .. string.format('%.0f', now)
  redis.call('SET', KEYS[1], epoch)
end
local age = now - tonumber(string.match(epoch, ' (%d+)$'))
return {epoch, redis.call('GET', KEYS[2]) or '0', string.format('%.0f', age)}
`;
/** Gives the epoch, which begins now where the server's run is another; the number of changes so far; its age, ms. */
export const greet = (run: string): readonly string[] => command(GREET, [EPOCH, SEQUENCE], [run]);

const LOOK = `
return {
  redis.call('GET', KEYS[1]) or '',
  redis.call('GET', KEYS[2]) or '0',
  redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[1], '+inf')
}
`;
/** Gives the epoch, the number of changes so far, and the keys of the pins that changed after `since`. */
export const look = (since: number): readonly string[] => command(LOOK, [EPOCH, SEQUENCE, CHANGED], [since]);

const CLAIM = `${NOW}
local epoch = redis.call('GET', KEYS[1])
if epoch ~= ARGV[1] then return {'epoch'} end
local age = now - tonumber(string.match(epoch, ' (%d+)$'))
local settling = age >= 0 and age < tonumber(ARGV[2])
local pinned, expected = ARGV[3] == '1', ARGV[4]
local first = pinned and 3 or 2
local held = pinned and redis.call('GET', KEYS[2])
if held and held ~= expected then return {'held', held} end
for i = first, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then return {'used'} end
end
if settling and (#KEYS >= first or (not held and expected == '')) then return {'settling'} end
if pinned and not held then redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[6]) end
for i = first, #KEYS do
  redis.call('SET', KEYS[i], '${USED}', 'PX', ARGV[7])
end
return {'written', (held or expected ~= '') and 'known' or 'first'}
`;

export interface ClaimCommand {
  readonly epoch: string;
  /** ms */
  readonly settle: number;
  /** `expected`: what the guard knows to be there, or empty. `lives` in ms. */
  readonly pin:
    { readonly key: string; readonly expected: string; readonly value: string; readonly lives: number } | undefined;
  readonly uses: { readonly keys: readonly string[]; readonly lives: number };
}

/**
 * Writes a pin and uses, all or nothing. Gives `written` with `first` or `known`; `held` and by whom, where the pin is not
 * what the guard expected; `used`; `settling`; or `epoch`, where the guard has not looked at the store as it is now.
 */
export const claim = ({ epoch, settle, pin, uses }: ClaimCommand): readonly string[] =>
  command(
    CLAIM,
    [EPOCH, ...(pin === undefined ? [] : [pin.key]), ...uses.keys],
    [...[epoch, settle, pin === undefined ? 0 : 1, pin?.expected ?? '', pin?.value ?? '', pin?.lives ?? 0], uses.lives],
  );

const ASSERT = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'epoch'} end
local others = {'asserted'}
for i = 2, #KEYS do
  local held = redis.call('GET', KEYS[i])
  if not held then
    redis.call('SET', KEYS[i], ARGV[2 * i - 2], 'PX', ARGV[2 * i - 1])
  elseif held ~= ARGV[2 * i - 2] then
    others[#others + 1] = KEYS[i]
    others[#others + 1] = held
  end
end
return others
`;
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** ms */
  readonly lives: number;
}
/** Writes what is not there. Gives `asserted`, then keys and values of what is there and different; or `epoch`. */
export const assert = (epoch: string, entries: readonly Entry[]): readonly string[] =>
  command(
    ASSERT,
    [EPOCH, ...entries.map(({ key }) => key)],
    [epoch, ...entries.flatMap(({ value, lives }) => [value, lives])],
  );

const REPLACE = `
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] then return {'held', held or ''} end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), KEYS[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -${MAX_CHANGES + 1})
return {'written'}
`;
/** Changes a pin that is still what the guard expected, and tells the others; else `held` and what is there. */
export const replace = (key: string, expected: string, value: string): readonly string[] =>
  command(REPLACE, [key, CHANGED, SEQUENCE], [expected, value]);
