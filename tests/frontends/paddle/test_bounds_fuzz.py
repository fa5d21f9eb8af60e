"""Programs with anything changed: our own check of them ends, soon, and in our own words."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING

from flopledger.errors import SourceError
from flopledger_paddle import bounds
from mutation import changed, damaged

if TYPE_CHECKING:
    from pathlib import Path

TRIES = 500
LONGEST_S = 2
MESSAGE = b"\x0a\x1e\x08\x00\x10\x00\x1a\x05\x0a\x03abc\x22\x11\x0a\x03\x0a\x01x\x1a\x04relu\x22\x03\x0a\x01o"
DOCUMENT = {"base_code": {"magic": "pir", "version": 1}, "program": {"regions": [{"blocks": [{"ops": []}]}]}}


def test_any_program_is_checked_or_refused(tmp_path: Path) -> None:
    for seed in range(TRIES):
        chosen = random.Random(seed)  # noqa: S311  (a seed that can be told)
        old, new = tmp_path / "net.pdmodel", tmp_path / "net.json"
        old.write_bytes(damaged(chosen, MESSAGE))
        new.write_bytes(damaged(chosen, json.dumps(changed(chosen, DOCUMENT)).encode()))
        started = time.process_time()
        for path, check in ((old, bounds.message), (new, bounds.json_text)):
            try:
                check(path)
            except SourceError:
                continue
        assert time.process_time() - started < LONGEST_S, seed
