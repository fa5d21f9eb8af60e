"""Changes to a document or to bytes, by a seed, as in an untrusted file."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

NASTY: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, 1e308, 1.5, -0.0, "", "a", "conv",
    "../../x", "/etc/passwd", "__import__('os').system('touch executed')", "os.system", "__class__", "\x00",
    "\u202e\x1b[31m", "N" * 300, "-1", "Infinity", [], {}, [[]], {"": {}}, [0] * 70, {"class_name": "Popen"},
    {"as_none": True}, {"as_int": -1}, {"as_tensor": {"name": "x"}}, {"as_expr": {"expr_str": "1//0"}},
)  # fmt: skip


def changed(random: Random, document: Any) -> Any:
    """Return a document with one to four values replaced, dropped, doubled, moved or nested."""
    made = copy.deepcopy(document)
    for _ in range(random.randint(1, 4)):
        places = _places(made)
        if not places:
            return random.choice(NASTY)
        holder, key = random.choice(places)
        match random.randrange(6):
            case 0 | 1:
                holder[key] = copy.deepcopy(random.choice(NASTY))
            case 2:
                del holder[key]
            case 3 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 4:
                other, there = random.choice(places)
                if _holds(other, there):
                    holder[key] = copy.deepcopy(other[there])
            case _:
                holder[key] = random.choice(([holder[key]], {"config": holder[key]}))
    return made


def _holds(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Return every container in a document with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (dict, list)):
            keys = list(one) if isinstance(one, dict) else range(len(one))
            found += [(one, key) for key in keys]
            waiting += [one[key] for key in keys]
    return found


def damaged(random: Random, content: bytes) -> bytes:
    """Return bytes with some flipped, cut out, put in, or moved."""
    made = bytearray(content)
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(made) + 1)
        match random.randrange(5):
            case 0 if made:
                made[at % len(made)] = random.randrange(256)
            case 1:
                del made[at : at + random.randint(1, 40)]
            case 2:
                made[at:at] = random.randbytes(random.randint(1, 8))
            case 3:
                made[at:at] = made[at : at + random.randint(1, 200)]
            case _ if made:
                made[at % len(made)] ^= 1 << random.randrange(8)
    return bytes(made)
