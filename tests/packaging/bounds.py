"""Run the tests with the lowest versions that pyproject.toml allows, or with the newest: `make bounds`.

    python tests/packaging/bounds.py [base] [dask] [torch] [keras] [paddle] [--newest] [--python python3.12]

Each extra gets a new environment below build/bounds. A framework takes gigabytes and minutes, so that this is
no part of `make test`. The last lines name the versions that ran and the extras that were left out; a version
that can't be installed is a failure. The tests run on the checkout itself: edits in the meantime take part.
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
    "base": [
        "tests/core",
        "tests/fuzz",
        "tests/example_plugin",
        *(f"tests/frontends/{name}" for name in ("caffe", "onnx", "tflite", "safetensors")),
    ],
    "dask": ["--slow", "tests/core/scanning"],
    "torch": ["tests/frontends/torch"],
    "keras": ["tests/frontends/keras"],
    "paddle": ["tests/frontends/paddle"],
}
BESIDE = {"base": ["onnx"], "keras": ["tensorflow-cpu"], "paddle": ["setuptools"]}
"""Packages that the tests need and the extra does not bring: the referee of the ONNX reader, a backend for
Keras, and setuptools, which Paddle imports without requiring it."""
TOOLS = ("hatchling", "hypothesis", "jsonschema", "pytest", "pytest-randomly")
_ASKED = """import importlib.metadata as m, sys
print(sys.version.split()[0], *(f"{name}=={m.version(name)}" for name in sys.argv[1:]))"""
_BOUND = re.compile(r"([A-Za-z0-9._-]+)>=([0-9.]+)")


def requirements(extra: str, *, newest: bool) -> list[str]:
    """Return the requirements of an extra, as they are or each at its lower bound.

    The dependencies of the base are at their bounds in ``base`` alone: elsewhere a framework asks for other
    versions of the same packages, as torch 2.6 does for SymPy.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = project["dependencies"] if extra == "base" else project["optional-dependencies"][extra]
    if newest:
        return list(listed)
    return [f"{bound[1]}=={bound[2]}" for text in listed if (bound := _BOUND.match(text))]


def tools() -> list[str]:
    """Return the test tools that the project asks for."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    return [text for text in listed if re.split(r"[>=<~!]", text)[0] in TOOLS]


def made(extra: str, python: str, *, newest: bool) -> str | None:
    """Make an environment and return its interpreter, or None if the versions can't be installed."""
    folder = HOME / f"{extra}-{'newest' if newest else 'lowest'}"
    wanted = [*requirements(extra, newest=newest), *BESIDE.get(extra, []), *tools()]
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    own = str(folder / "bin" / "python")
    sys.stderr.write(f"{extra}: {' '.join(wanted)}\n")
    done = subprocess.run([own, "-m", "pip", "install", "-q", "-e", ROOT, *wanted], check=False)
    return None if done.returncode else own


def versions(extra: str, python: str) -> str:
    """Return the interpreter's version and those of the packages that the bounds are about."""
    names = [re.split(r"[>=<~!]", text)[0] for text in requirements(extra, newest=True)]
    done = subprocess.run([python, "-c", _ASKED, *names], check=True, capture_output=True, text=True)
    return f"Python {done.stdout.strip()}"


def tried(extra: str, python: str, *, newest: bool) -> tuple[bool, str]:
    """Run the tests of an extra in a new environment; return whether they passed, and a line about it."""
    own = made(extra, python, newest=newest)
    if own is None:
        return False, "these versions can't be installed together"
    done = subprocess.run([own, "-m", "pytest", "-q", *TESTS[extra]], cwd=ROOT, check=False)
    result = f"pytest ended with {done.returncode}" if done.returncode else "passed"
    return not done.returncode, f"{result} with {versions(extra, own)}"


def main() -> int:
    """Try the extras that are named, or all."""
    parser = argparse.ArgumentParser(description="Run the tests with the lowest or the newest versions.")
    parser.add_argument("extras", nargs="*", help=f"of {', '.join(TESTS)}; all of them unless named")
    parser.add_argument("--newest", action="store_true", help="the newest versions, not the lowest")
    parser.add_argument("--python", default=sys.executable, help="the interpreter, such as python3.12")
    options = parser.parse_args()
    unknown = set(options.extras) - set(TESTS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; expected some of {', '.join(TESTS)}")
    chosen = options.extras or list(TESTS)
    results = {extra: tried(extra, options.python, newest=options.newest) for extra in chosen}
    for extra, (_, line) in results.items():
        sys.stderr.write(f"{extra}: {line}\n")
    left_out = [extra for extra in TESTS if extra not in results]
    if left_out:
        sys.stderr.write(f"left out: {', '.join(left_out)}\n")
    return not all(passed for passed, _ in results.values())


if __name__ == "__main__":
    sys.exit(main())
