"""
The scripts by which a cache is written: each is one step for all others.

Numbers of changes and terms are texts of 20 digits. Lua's own numbers are exact only up
to 2^53, and a change is a time in microseconds, which may be any number after a clock
that went wrong.
"""

import hashlib
from dataclasses import dataclass, field

DIGITS = 20


@dataclass(frozen=True, slots=True)
class Script:
    """A script in Lua, and the hash by which a server that knows it runs it."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", sha)


def padded(number: int) -> str:
    """Return *number*, which is not negative, so that texts compare as numbers do."""
    return f"{number:0{DIGITS}}"


# The floor is raised before the rows are written: a script that breaks off in between,
# as where memory is full, has only refused more than it must.
WRITE = Script(
    """
-- KEYS: meta, then one a row. ARGV: copy, newest, milliseconds to live, then change and
-- value of each row.
local field = 'floor ' .. ARGV[1]
local floor = redis.call('HGET', KEYS[1], field)
if not floor then
    return -1
end
local highest = floor
local kept = {}
for row = 2, #KEYS do
    local change = ARGV[2 * row]
    local stored = redis.call('GETRANGE', KEYS[row], 0, 19)
    local is_newer
    if stored == '' then
        is_newer = ARGV[2] >= floor
    else
        is_newer = change >= stored
    end
    if is_newer then
        kept[#kept + 1] = row
        if change > highest then
            highest = change
        end
    end
end
if highest > floor then
    redis.call('HSET', KEYS[1], field, highest)
end
for _, row in ipairs(kept) do
    redis.call('SET', KEYS[row], ARGV[2 * row + 1], 'PX', ARGV[3])
end
return #kept
"""
)
"""Returns how many rows were written, -1 if the copy is not there."""

SAVE_SHELF = Script(
    """
-- KEYS: meta. ARGV: term, shelf, copy that serves or ''.
local term = redis.call('HGET', KEYS[1], 'term')
if term and term > ARGV[1] then
    return 0
end
redis.call(
    'HSET', KEYS[1], 'term', ARGV[1], 'shelf', ARGV[2], 'serving', ARGV[3]
)
return 1
"""
)
"""Returns 0 if a later writer has stored the shelf."""

SAVE_CHECKPOINT = Script(
    """
-- KEYS: meta. ARGV: copy, known checkpoint, new checkpoint, its change.
local floor = redis.call('HGET', KEYS[1], 'floor ' .. ARGV[1])
local known = redis.call('HGET', KEYS[1], 'checkpoint ' .. ARGV[1])
if not floor or known ~= ARGV[2] then
    return 0
end
if ARGV[4] > floor then
    floor = ARGV[4]
end
redis.call(
    'HSET', KEYS[1], 'floor ' .. ARGV[1], floor, 'checkpoint ' .. ARGV[1], ARGV[3]
)
return 1
"""
)
"""Returns 0 if another checkpoint is there, or none."""
