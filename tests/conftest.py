"""What every test may ask for."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is no failure: examples are bounded in number, not in time.
settings.register_profile(
    "flopledger", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("flopledger")


# A shell lets what it runs in the background ignore Ctrl-C, and so would the processes that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--peers", action="store_true", help="ask the peer tools themselves anew")
    parser.addoption("--overwrite", action="store_true", help="renew the stored output instead of comparing")


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
