from __future__ import annotations

import importlib.metadata
import json
import sys
import zipfile
from importlib.machinery import PathFinder
from pathlib import Path

import pytest
from flopledger.plugins import installed
from flopledger.plugins.installed import EntryPoint

GROUP = "acme.plugins"
POINTS = f"""
[console_scripts]
acme = acme:main

# the plugins
[{GROUP}]
one = acme.one
two=acme.two : Two.make [extra]
[others]
three = acme.three
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path of one folder, and of the standard library, which imports by need from there."""
    library = str(Path(importlib.metadata.__file__).parents[2])
    monkeypatch.setattr(sys, "path", [str(tmp_path / "missing"), str(tmp_path), library])
    monkeypatch.setattr(sys, "meta_path", [PathFinder])
    # The package importlib_metadata, where something imports it, takes this method off to list all itself.
    listed = importlib.metadata.MetadataPathFinder.find_distributions
    monkeypatch.setattr(PathFinder, "find_distributions", listed, raising=False)
    return tmp_path


def describe(site: Path, folder: str, points: str = POINTS, name: str = "Acme-Nets") -> None:
    info = site / folder
    info.mkdir(parents=True)
    file = "METADATA" if folder.endswith("dist-info") else "PKG-INFO"
    (info / file).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n\nName: not this one\n")
    (info / "entry_points.txt").write_text(points)


@pytest.mark.parametrize("folder", ["acme_nets-1.2.dist-info", "Acme.Nets-1.2-py3.11.egg-info"])
def test_the_entry_points_of_a_group_are_found_with_their_distribution(site: Path, folder: str) -> None:
    describe(site, folder)
    expected = [
        EntryPoint("one", "acme.one", "Acme-Nets"),
        EntryPoint("two", "acme.two : Two.make [extra]", "Acme-Nets"),
    ]
    assert installed.entry_points(GROUP) == expected
    assert installed.version("acme-nets") == "1.2"


def test_of_distributions_with_one_name_the_first_on_the_path_counts(site: Path) -> None:
    describe(site, "acme_nets-1.2.dist-info")
    sys.path.append(str(site / "later"))
    describe(site / "later", "Acme.Nets-1.1.dist-info", f"[{GROUP}]\nold = acme.old\n")
    describe(site / "later", "other-1.0.dist-info", f"[{GROUP}]\nother = other\n", "other")
    assert [one.name for one in installed.entry_points(GROUP)] == ["one", "two", "other"]


def test_what_an_entry_point_names_is_imported() -> None:
    assert EntryPoint("a", "json", "").load() is json
    assert EntryPoint("a", "json : JSONDecoder.decode [extra]", "").load() is json.JSONDecoder.decode


def test_an_archive_on_the_path_is_searched(site: Path) -> None:
    """Only the library looks into archives."""
    archive = site / "acme.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("acme-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        file.writestr("acme-1.0.dist-info/entry_points.txt", f"[{GROUP}]\nzipped = acme\n")
    sys.path.append(str(archive))
    assert installed.entry_points(GROUP) == [EntryPoint("zipped", "acme", "acme")]
    assert installed.version("acme") == "1.0"


def test_an_importer_that_lists_its_own_distributions_is_asked(site: Path) -> None:
    describe(site, "acme-1.0.dist-info", f"[{GROUP}]\nhidden = acme\n", "acme")
    place, sys.path[:] = str(site), []

    class Finder:
        @staticmethod
        def find_spec(*_: object) -> None:
            return None

        @staticmethod
        def find_distributions(
            context: importlib.metadata.DistributionFinder.Context,
        ) -> list[importlib.metadata.Distribution]:
            del context
            return [importlib.metadata.Distribution.at(f"{place}/acme-1.0.dist-info")]

    sys.meta_path.append(Finder)  # type: ignore[arg-type]
    assert installed.entry_points(GROUP) == [EntryPoint("hidden", "acme", "acme")]


def test_a_distribution_that_is_not_installed_has_no_version(site: Path) -> None:
    describe(site, "acme_nets-1.2.dist-info")
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        installed.version("acme")


@pytest.mark.parametrize("group", ["flopledger.frontends", "console_scripts", "pytest11"])
def test_what_is_installed_here_is_what_the_library_finds(group: str) -> None:
    library = importlib.metadata.entry_points(group=group)
    expected = {(one.name, one.value, one.dist.name if one.dist else "") for one in library}
    assert {tuple(one) for one in installed.entry_points(group)} == expected
    assert installed.version("flopledger") == importlib.metadata.version("flopledger")
