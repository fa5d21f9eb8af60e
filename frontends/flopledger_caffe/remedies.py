"""Advice to a user about a blob without a shape: the options that make it, and specs that give it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from flopledger_caffe.inputs import guessed, is_source
from flopledger_caffe.text.message import INT32
from flopledger_caffe.text.net import TEST, TRAIN, State, all_layers, entries, entry_of, kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger_caffe.text.message import Message
    from flopledger_caffe.text.net import Entry

_MOST_STAGES = 6
"""With more stages than this, they are tried alone and in pairs: 2^7 readings of a file are too many."""
_BOXES = ("rois", "roi", "proposals", "boxes")


def way(root: Message, state: State, known: Mapping[str, str], blob: str) -> str:
    """Return which layer makes a blob, with which options; the fewest that leave no other blob without maker.

    Empty where no option makes it.
    """
    makers: dict[State, Entry] = {}
    for other in _others(root, state):
        made = list(entries(root, other, known))
        maker = next((entry for entry in made if blob in entry.tops), None)
        if maker is None:
            continue
        makers[other] = maker
        if _is_whole(root, made):
            return _said(state, other, maker)
    return next((_said(state, other, maker) for other, maker in makers.items()), "")


def _said(state: State, other: State, maker: Entry) -> str:
    options = [] if other.phase == state.phase else [f"--phase {other.phase.lower()}"]
    options += [f"--stage {stage}" for stage in sorted(other.stages - state.stages)]
    if other.level != state.level:
        options.append(f"--level {other.level}")
    return f"; layer {maker.name!r} (line {maker.message.line}) makes it with {' '.join(options)}"


def _others(root: Message, state: State) -> Iterator[State]:
    """Yield the states that the rules of the file distinguish, those with the fewest changes first."""
    rules = [rule for layer in all_layers(root) for rule in _rules(layer)]
    stages = sorted({stage for rule in rules for stage in rule.texts("stage")} - state.stages)
    levels = {
        rule.number(key, 0, INT32) for rule in rules for key in ("min_level", "max_level") if key in rule
    }
    most = len(stages) if len(stages) <= _MOST_STAGES else 2
    chosen = [more for size in range(most + 1) for more in combinations(stages, size)]
    phases = (state.phase, TRAIN if state.phase == TEST else TEST)
    found = [
        State(phase, level, state.stages | set(more))
        for phase in phases
        for level in (state.level, *sorted(levels - {state.level}))
        for more in chosen
    ]
    found.sort(key=lambda other: _changes(state, other))
    return iter(found[1:])


def _changes(state: State, other: State) -> int:
    more = len(other.stages - state.stages)
    return more + (other.phase != state.phase) + (other.level != state.level)


def _rules(layer: Message) -> tuple[Message, ...]:
    return (*layer.messages("include"), *layer.messages("exclude"))


def _is_whole(root: Message, made: list[Entry]) -> bool:
    """Return whether each layer's bottoms are made before it."""
    blobs = set(root.texts("input"))
    for entry in made:
        if not blobs.issuperset(entry.bottoms):
            return False
        blobs.update(entry.tops)
    return True


def example(root: Message, known: Mapping[str, str], name: str, entry: Entry | None = None) -> str:
    """Return the spec of an input as far as the file suggests it, the rest as a picture of 224x224.

    A size that a layer does not state may be in the data layer of the other phase.
    """
    sources = [entry] if entry else []
    for layer in all_layers(root):
        for state in (State(TRAIN), State(TEST)):
            if kept(layer, state):
                sources += [other for other in _parsed(layer, known) if name in other.tops]
                break
    batch, channels, sizes = 1, None, None
    for source in reversed([other for other in sources if is_source(other)]):
        found = guessed(source)
        batch, channels, sizes = found[0] or batch, found[1] or channels, found[2] or sizes
    height, width = sizes or (224, 224)
    return f"; give it, with your sizes: -i {name}={batch}x{channels or 3}x{height}x{width}"


def _parsed(layer: Message, known: Mapping[str, str]) -> Iterator[Entry]:
    if "type" in layer:
        yield entry_of(layer, known)


def top_example(name: str) -> str:
    """Return the spec that gives the shape of an unknown layer's output; regions are lists of 5 numbers."""
    sizes = "300x5" if name.lower().rstrip("0123456789_") in _BOXES else "1x64x14x14"
    return f"; give its shape, with your sizes: -i {name}={sizes}"
