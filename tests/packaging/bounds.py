"""Run the tests with the lowest versions that pyproject.toml allows, or with the newest: `make bounds`.

    python tests/packaging/bounds.py [base] [torch] [keras] [paddle] [--newest] [--python python3.12]

Each gets an environment of its own below build/bounds, which is made anew; a framework takes gigabytes and
minutes, so that this is no part of `make test`. A version that can't be installed is a failure and says so.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "bounds"
TESTS = {
    "base": ["tests/core", "tests/frontends/caffe", "tests/fuzz", "tests/example_plugin"],
    "torch": ["tests/frontends/torch"],
    "keras": ["tests/frontends/keras"],
    "paddle": ["tests/frontends/paddle"],
}
BESIDE = {"keras": ["tensorflow-cpu"], "paddle": ["setuptools"]}
"""What a framework needs that its users bring: a backend of Keras's, and what Paddle forgets to ask for."""
TOOLS = ("pytest", "pytest-randomly", "hypothesis", "jsonschema")
_BOUND = re.compile(r"([A-Za-z0-9._-]+)>=([0-9.]+)")


def requirements(extra: str, *, newest: bool) -> list[str]:
    """Return what to install: each dependency with a lower bound at that version, or as it is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = [] if extra == "base" else project["optional-dependencies"][extra]
    named = [*project["dependencies"], *own]
    if newest:
        return named
    found = [_BOUND.match(text) for text in named]
    return [f"{bound[1]}=={bound[2]}" for bound in found if bound]


def tools() -> list[str]:
    """Return the test tools that the project asks for."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    return [text for text in listed if re.split(r"[>=<~!]", text)[0] in TOOLS]


def tried(extra: str, python: str, *, newest: bool) -> str:
    """Make an environment and run its tests; return what became of it, empty if all passed."""
    folder = HOME / f"{extra}-{'newest' if newest else 'lowest'}"
    wanted = [*requirements(extra, newest=newest), *BESIDE.get(extra, []), *tools()]
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    own = str(folder / "bin" / "python")
    sys.stderr.write(f"{extra}: {' '.join(wanted)}\n")
    done = subprocess.run([own, "-m", "pip", "install", "-q", "-e", ROOT, *wanted], check=False)
    if done.returncode:
        return "these versions can't be installed together"
    tests = [path for path in TESTS[extra] if (ROOT / path).exists()]
    done = subprocess.run([own, "-m", "pytest", "-q", *tests], cwd=ROOT, check=False)
    return f"pytest ended with {done.returncode}" if done.returncode else ""


def main() -> int:
    """Try what is named, or everything."""
    parser = argparse.ArgumentParser(description="Run the tests with the lowest or the newest versions.")
    parser.add_argument("extras", nargs="*", help=f"of {', '.join(TESTS)}; all of them unless named")
    parser.add_argument("--newest", action="store_true", help="the newest versions, not the lowest")
    parser.add_argument("--python", default=sys.executable, help="the interpreter, such as python3.12")
    options = parser.parse_args()
    unknown = set(options.extras) - set(TESTS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; expected some of {', '.join(TESTS)}")
    failed = {extra: tried(extra, options.python, newest=options.newest) for extra in options.extras or TESTS}
    for extra, reason in failed.items():
        sys.stderr.write(f"{extra}: {reason or 'passed'}\n")
    return any(failed.values())


if __name__ == "__main__":
    sys.exit(main())
