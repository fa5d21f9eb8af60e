from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.lazy import attribute

if TYPE_CHECKING:
    from pathlib import Path


def test_a_module_lists_the_names_that_it_offers() -> None:
    assert dir(fl) == sorted(fl.__all__)
    assert all(hasattr(fl, name) for name in fl.__all__)


@pytest.mark.parametrize("jedi", [False, True])
def test_a_console_completes_the_names(jedi: bool) -> None:  # noqa: FBT001  (as IPython's own option)
    """IPython asks ``dir``, or jedi, which looks at the module too."""
    completer = pytest.importorskip("IPython.core.completer")
    if jedi:
        pytest.importorskip("jedi")
    found = completer.IPCompleter(namespace={"fl": fl}, use_jedi=jedi)
    with completer.provisionalcompleter():
        every = {one.text.lstrip(".") for one in found.completions("fl.", 3)}
        begun = {one.text.lstrip(".") for one in found.completions("fl.co", 5)}

    assert every == set(fl.__all__)
    assert begun == {"compare", "count"}


def test_a_name_is_had_from_a_module_that_another_thread_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``compare`` reads two files in two threads, whose frontends import the same modules."""
    (tmp_path / "slow_home.py").write_text("import time\ntime.sleep(0.3)\nname = 5\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(attribute("slow_home:name"))) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert found == [5, 5]
