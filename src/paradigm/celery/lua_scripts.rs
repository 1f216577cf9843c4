//! Lua scripts for the steps that must be atomic in Redis: claim, finish, restore and touch of
//! the worker, audit and held of the producer, putting back and the test of writing of both.
//!
//! Architecture invariant: no message is decoded and encoded again here, because Lua would turn an
//! empty list into an empty object. Changes are made in the text.

use redis::Script;

/// Takes messages off the handoff list `KEYS[4]` and the queues `KEYS[5..]`, in their order, and
/// holds them.
///
/// `KEYS[1]` unacked, `[2]` unacked_index, `[3]` rejected messages; `ARGV[1]` the most, `[2]` the
/// longest message in bytes, `[3]` how many rejected messages are kept. Returns the time, and tag
/// and text of each message. Messages without a tag, or too long, are rejected. Half of a queue
/// is left to other workers, and half of the handoff list: a message that is claimed by a busy
/// worker would wait there while others are idle.
const CLAIM: &str = r#"
local now = redis.call('TIME')
local time = now[1] .. '.' .. string.format('%06d', now[2])
local taken = {time}
local left, aside = tonumber(ARGV[1]), 256
for i = 4, #KEYS do
  local share = math.min(left, math.ceil(redis.call('LLEN', KEYS[i]) / 2))
  while share > 0 and aside > 0 do
    local raw = redis.call('RPOP', KEYS[i])
    if not raw then break end
    local tag = string.match(raw, '"delivery_tag"%s*:%s*"([^"\\]+)"')
    local why
    if #raw > tonumber(ARGV[2]) then why = 'longer than 1 MiB'
    elseif not tag or #tag > 255 then why = 'without a delivery tag'
    elseif redis.call('HEXISTS', KEYS[1], tag) == 1 then why = 'its delivery tag is held already'
    end
    if why then
      -- Bytes that may be no text would make the entry none.
      local shown = string.gsub(string.sub(raw, 1, 4096), '[\128-\255]', '?')
      local entry = {reason = why, at = time, length = #raw, message = shown}
      redis.call('LPUSH', KEYS[3], cjson.encode(entry))
      redis.call('LTRIM', KEYS[3], 0, tonumber(ARGV[3]) - 1)
      aside = aside - 1
    else
      redis.call('ZADD', KEYS[2], time, tag)
      redis.call('HSET', KEYS[1], tag, '[' .. raw .. ',"","' .. KEYS[5] .. '"]')
      taken[#taken + 1] = tag
      taken[#taken + 1] = raw
      left, share = left - 1, share - 1
    end
  end
end
return taken
"#;

/// Acknowledges a message, stores its result unless there is a final one, and publishes it.
///
/// `KEYS[1]` unacked, `[2]` unacked_index, `[3]` the result's key; `ARGV[1]` the tag, `[2]`
/// the result, `[3]` how many seconds it is kept. Returns 1 if it was stored.
const FINISH: &str = r#"
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
-- A key of another type is replaced.
local old = redis.pcall('GET', KEYS[3])
if type(old) == 'string' then
  local status = string.match(old, '"status"%s*:%s*"(%u+)"')
  -- A worker whose clock is ahead takes for expired what another runs.
  if status == 'REVOKED' and string.find(old, '"expired"', 1, true) then status = nil end
  if status == 'SUCCESS' or status == 'FAILURE' or status == 'REVOKED' then return 0 end
end
redis.call('SETEX', KEYS[3], ARGV[3], ARGV[2])
redis.call('PUBLISH', KEYS[3], ARGV[2])
return 1
"#;

/// Restores messages to their queues: those of the tags `ARGV[2..]`, or without any, those that
/// were not touched for `ARGV[1]` seconds.
///
/// `KEYS[1]` unacked, `[2]` unacked_index, `[3]` unacked_mutex, which a stock worker holds
/// while it does the same; `[4]` the queue. Returns how many. Messages of other exchanges are
/// left to stock workers.
const RESTORE: &str = r#"
local tags = {}
if #ARGV > 1 then
  for i = 2, #ARGV do tags[#tags + 1] = ARGV[i] end
else
  if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
  local now = redis.call('TIME')
  tags = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now[1] - ARGV[1], 'LIMIT', 0, 500)
end
local restored = 0
for _, tag in ipairs(tags) do
  local held = redis.call('HGET', KEYS[1], tag)
  if held then
    local raw, exchange, key = string.match(held, '^%[(.*),%s*"([^"]*)",%s*"([^"]*)"%s*%]$')
    if raw and exchange == '' then
      if not string.find(raw, '"redelivered"%s*:') then
        raw = string.gsub(raw, '("delivery_info"%s*:%s*{)(%s*")', '%1"redelivered":true,%2', 1)
      end
      redis.call('RPUSH', key, raw)
      redis.call('HDEL', KEYS[1], tag)
      redis.call('ZREM', KEYS[2], tag)
      restored = restored + 1
    end
  else
    redis.call('ZREM', KEYS[2], tag)
  end
end
return restored
"#;

/// Moves all messages of the handoff list `KEYS[1]` back to the queue `KEYS[2]`, from which they were
/// taken last. Returns how many.
const PUT_BACK: &str = r#"
local moved = 0
while moved < 1000 and redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT') do
  moved = moved + 1
end
return moved
"#;

/// Writes to `KEYS[1]` and removes that: fails wherever a message could not be written.
const TEST_WRITE: &str = r#"
redis.call('LPUSH', KEYS[1], 'test')
redis.call('RPOP', KEYS[1])
return 1
"#;

/// Renews the lease of the messages of the tags `ARGV`: `KEYS[1]` unacked_index. A message that
/// is not held any more stays so.
const TOUCH: &str = r#"
local now = redis.call('TIME')
local time = now[1] .. '.' .. string.format('%06d', now[2])
for _, tag in ipairs(ARGV) do redis.call('ZADD', KEYS[1], 'XX', time, tag) end
return #ARGV
"#;

/// The places of messages: `KEYS[1]` unacked, `[2]` the queue, `[3]` its handoff list; `ARGV` tag and
/// text of each. Returns for each 2 if a worker holds it, 1 if it is in one of the lists, 0
/// otherwise. A message that was restored has the text that the script for that gives it.
const AUDIT: &str = r#"
local places = {}
for i = 1, #ARGV, 2 do
  local place = 0
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then place = 2
  else
    local raw = ARGV[i + 1]
    local restored = string.gsub(raw, '("delivery_info"%s*:%s*{)(%s*")', '%1"redelivered":true,%2', 1)
    if redis.call('LPOS', KEYS[2], raw, 'RANK', -1) or redis.call('LPOS', KEYS[3], raw)
      or redis.call('LPOS', KEYS[2], restored) or redis.call('LPOS', KEYS[3], restored)
    then place = 1 end
  end
  places[#places + 1] = place
end
return places
"#;

/// Which of the tags `ARGV` are held by workers: `KEYS[1]` unacked. Returns 1 or 0 for each.
const HELD: &str = r#"
local held = {}
for i, tag in ipairs(ARGV) do held[i] = redis.call('HEXISTS', KEYS[1], tag) end
return held
"#;

/// All scripts, with their digests.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) claim: Script,
    pub(super) finish: Script,
    pub(super) restore: Script,
    pub(super) put_back: Script,
    pub(super) test_write: Script,
    pub(super) touch: Script,
    pub(super) audit: Script,
    pub(super) held: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            claim: Script::new(CLAIM),
            finish: Script::new(FINISH),
            restore: Script::new(RESTORE),
            put_back: Script::new(PUT_BACK),
            test_write: Script::new(TEST_WRITE),
            touch: Script::new(TOUCH),
            audit: Script::new(AUDIT),
            held: Script::new(HELD),
        }
    }
}
