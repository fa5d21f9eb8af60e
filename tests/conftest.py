"""Fixtures and options of all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import slowest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
SLOWEST = slowest.listed()
LEFT_OUT = pytest.StashKey[tuple[list[str], int]]()

# A busy machine is no failure: examples are bounded in number, not in time.
settings.register_profile(
    "flopledger", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("flopledger")


# A shell lets what it runs in the background ignore Ctrl-C, and so would the processes that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--peers", action="store_true", help="ask the peer tools themselves again")
    parser.addoption("--overwrite", action="store_true", help="renew the stored output instead of comparing")
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")
    parser.addoption("--quick", action="store_true", help="leave out what starts processes or draws examples")


def pytest_configure(config: pytest.Config) -> None:
    """Tell the modules that tests share, which have no access to options, whether to take their time."""
    if config.getoption("--slow"):
        os.environ["FLOPLEDGER_SLOW_TESTS"] = "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow tests unless they are asked for; pytest's last line says how many were left out."""
    out: list[pytest.Item] = []
    if config.getoption("--quick"):
        out = [item for item in items if _is_slow(item) or _is_long(item)]
    elif not config.getoption("--slow"):
        out = [item for item in items if _is_slow(item)]
    left = set(out)
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=out)
    config.stash[LEFT_OUT] = sorted({item.location[0] for item in out if _is_slow(item)}), len(out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the tests that were left out, so that a short run is not taken for a whole one."""
    files, count = config.stash.get(LEFT_OUT, ([], 0))
    if count:
        terminalreporter.write_line(
            f"left out, make test-all runs them: {count} tests, of {', '.join(files)}"
        )


def _is_slow(item: pytest.Item) -> bool:
    """Return whether a test says itself that it is slow, or was measured to be among the slowest."""
    return item.nodeid in SLOWEST or item.get_closest_marker("slow") is not None


def _is_long(item: pytest.Item) -> bool:
    """Return whether a test draws examples or starts processes: a browser, or what the commands start."""
    function = getattr(item, "function", None)
    browses = "browser" in getattr(item, "fixturenames", ())
    return getattr(function, "is_hypothesis_test", False) or browses or "cli" in item.path.parts


@pytest.fixture(scope="session")
def ask_peers(request: pytest.FixtureRequest) -> bool:
    """Whether the peer tools themselves are to be run."""
    asked: bool = request.config.getoption("--peers")
    return asked


@pytest.fixture(scope="session")
def overwrite(request: pytest.FixtureRequest) -> bool:
    """Whether stored output is to be renewed."""
    asked: bool = request.config.getoption("--overwrite")
    return asked


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def examples(root: Path) -> Path:
    """The folder with the example networks."""
    return root / "examples"


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """A folder of published networks that lies beside the repository, and is no part of it.

    Their licences don't let us ship them, so that a checkout without that folder skips what needs it.
    """
    folder = root.parent / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip("the folder of published networks, ../shared, does not lie beside the repository")
    return folder
