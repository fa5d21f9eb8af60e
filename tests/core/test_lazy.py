from __future__ import annotations

import flopledger as fl
import pytest


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
