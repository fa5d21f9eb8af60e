from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from flopledger.conventions import loader, names
from flopledger.errors import ConventionError
from graphs import layer

if TYPE_CHECKING:
    from pathlib import Path

MINE = """\
name = "mine"
unit = "MAC"
total = "layer"

[define]
twice = "2 * macs"

[rules.layer]
"linear" = "twice"
"""


@pytest.fixture
def write(tmp_path: Path) -> object:
    def write(text: str, name: str = "mine.toml") -> str:
        file = tmp_path / name
        file.write_text(text)
        return str(file)

    return write


def test_a_users_file_is_a_convention(write) -> None:  # noqa: ANN001
    graph = layer("linear", {"out_features": 5}, (2, 3))

    assert graph.count(write(MINE)).total.count == 60


def test_a_file_may_extend_another_and_price_one_source(write) -> None:  # noqa: ANN001
    file = write('extend = "mac"\nname = "mine"\n[rules.any]\n"hand.relu" = "7 * out_elems"\n')

    assert layer("relu", {}, (2, 3)).count(file).total.count == 42
    assert layer("linear", {"out_features": 5}, (2, 3)).count(file).total.count == 30


def test_a_file_may_extend_its_neighbour(write) -> None:  # noqa: ANN001
    write(MINE)
    file = write('extend = "./mine.toml"\n[define]\ntwice = "3 * macs"\n', "next.toml")

    assert layer("linear", {"out_features": 5}, (2, 3)).count(file).total.count == 90


def test_a_file_that_extends_what_no_file_can_be_called_is_refused(write) -> None:  # noqa: ANN001
    with pytest.raises(ConventionError, match="there is no such file"):
        loader.load(write(f'extend = "./{"N" * 300}.toml"\nname = "next"\n'))


def test_texts_for_readers_are_no_part_of_the_digest(write) -> None:  # noqa: ANN001
    switch = '[switches.half]\nvalues = ["no", "yes"]\ndefault = "no"\ndoc = "{}"\n'
    plain = loader.load(write(MINE + switch.format("one"))).digest
    words = 'title = "Mine"\ndescription = "of mine"\nsource = "a page"\nquirks = ["none"]\n'
    assert loader.load(write(words + MINE + switch.format("two"))).digest == plain
    assert loader.load(write(MINE.replace("2 *", "3 *") + switch.format("one"))).digest != plain
    assert loader.load(write(MINE + switch.format("one").replace('"no"\n', '"yes"\n'))).digest != plain


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("total", "totl"), r"mine\.toml:3: the key 'totl' is not known here; did you mean 'total'\?"),
        (('"MAC"', '"MACS"'), r"mine\.toml:2: the unit is one of .*; did you mean 'MAC'\?"),
        (('"2 * macs"', '"2 * mac"'), r"mine\.toml:6: nothing is called 'mac'; did you mean 'macs'\?"),
        (('"2 * macs"', '"open(1)"'), r"mine\.toml:6: a call of 'open' is not allowed"),
        (('"2 * macs"', '"macs.real"'), r"mine\.toml:6: an attribute is not allowed"),
        (('"2 * macs"', '"2 *"'), r"mine\.toml:6: '2 \*' is not an expression"),
        (('"2 * macs"', '"twice"'), r"mine\.toml:6: the definition of 'twice' needs itself"),
        (('"2 * macs"', "[1]"), r"mine\.toml:6: expected an expression, found \[1\]"),
        (("twice =", "macs ="), r"mine\.toml:6: 'macs' is the name of a fact"),
        (("rules.layer", "rules.layers"), r"mine\.toml:8: the key 'layers' is not known here"),
        (('"linear" = "twice"', '"linear" = "twise"'), r"mine\.toml:9: nothing is called 'twise'"),
        (('"layer"', '"layers"'), r"mine\.toml:3: nothing is called 'layers'; did you mean 'layer'\?"),
        (
            ("[define]", "[defin]"),
            r"mine\.toml:5: the key 'defin' is not known here; did you mean 'define'\?",
        ),
        (("[define]", "[define"), "not a TOML file"),
        (('"mine"', "7"), r"mine\.toml:1: name is a text, found 7"),
        (('name = "mine"', 'extend = "mac2"'), "there is no convention 'mac2'; did you mean"),
        (('name = "mine"', 'extend = "./mine.toml"'), "it extends itself"),
        (('name = "mine"', "extend = 3"), "extend names a convention"),
        (('name = "mine"', 'extend = "/etc/passwd"'), "it extends '/etc/passwd', expected a name or a .toml"),
        (
            ('name = "mine"', 'extend = "../secret"'),
            "it extends '../secret', expected a name or a .toml file",
        ),
        (("[define]", "[profile]\nmode = 'evil'\n[define]"), r"mine\.toml:6: mode is eval or train"),
        (("[define]", "[params]\ncount = 'numel'\n[define]"), "the key 'over' is missing"),
        (("[define]", "[params]\nover = 'rows'\ncount = '1'\n[define]"), "over is parameters or modules"),
        (("[define]", "[reduce.layer]\nmatch = 'some'\n[define]"), "match is exact or isinstance"),
        (
            ("[define]", "[switches.x]\nvalues = ['a']\ndefault = 'b'\ndoc = ''\n[define]"),
            "not among the values",
        ),
        (('"linear"', '"{a,b}{a,b}' + "{a,b}" * 20 + '"'), "more than 10000 sources"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(write, change: tuple[str, str], message: str) -> None:  # noqa: ANN001
    with pytest.raises(ConventionError, match=message):
        loader.load(write(MINE.replace(*change, 1)))


def test_an_unknown_convention_names_the_nearest() -> None:
    with pytest.raises(ConventionError, match=r"there is no convention 'ptflop'|did you mean"):
        loader.load("netscop")


def test_a_missing_or_binary_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConventionError, match="can't be read"):
        loader.load(str(tmp_path / "none.toml"))
    with pytest.raises(ConventionError, match="can't be read"):
        loader.load(str(tmp_path) + "/")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConventionError, match="not a TOML file"):
        loader.load(str(binary))


def test_a_huge_or_deep_file_is_refused(write) -> None:  # noqa: ANN001
    with pytest.raises(ConventionError, match="larger than"):
        loader.load(write("#" * 2_000_000))
    with pytest.raises(ConventionError, match=r"not a TOML file|deep|not known"):
        loader.load(write("x = " + "[" * 100_000))
    with pytest.raises(ConventionError, match=r"not known|deep"):
        loader.load(write("a." * 5_000 + "b = 1"))


def test_a_switch_that_is_not_there_names_the_nearest() -> None:
    mac = loader.load("mac")

    with pytest.raises(ConventionError, match=r"no switch 'bais' .*; did you mean 'bias'\?"):
        mac.set({"bais": "add"})
    with pytest.raises(
        ConventionError, match=r"bias = 'ad' is not one of none, add, mac; did you mean 'add'\?"
    ):
        mac.set({"bias": "ad"})


@pytest.mark.parametrize(
    ("given", "name"),
    [("flops", "2mac"), ("FLOPs", "2mac"), ("MACs", "mac"), ("Mac", "mac"), ("PTFLOPS", "ptflops")],
)
def test_a_unit_names_our_convention_for_it_and_case_does_not_matter(given: str, name: str) -> None:
    assert loader.load(given).name == name


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("tensorflow", r"'tf-profiler' or 'keras-summary'\?"),
        ("PyTorch", "'torchinfo', 'ptflops', 'thop', 'fvcore' or 'torch-flop-counter'"),
        ("facebook", "'fvcore'"),
        ("huggingface", "'calflops-flops', 'accelerate-estimate' or 'hf-trainer'"),
        ("timm", "'torch-flop-counter' or 'fvcore'"),
        ("mult-adds", "'mac'"),
        ("GMACs", "'mac'"),
        ("gflops", "'2mac'"),
        ("floops", "'2mac'"),
        ("flopz", "'2mac'"),
        ("operations", "'ops'"),
        ("Caffe", "'caffe-script'"),
        ("Keras", "'keras-size', 'keras-summary' or 'tf-profiler'"),
    ],
)
def test_an_unknown_name_suggests_what_it_is_about(given: str, meant: str) -> None:
    with pytest.raises(ConventionError, match=f"there is no convention '{given}'; did you mean {meant}"):
        loader.load(given)


def test_a_viewer_without_figures_is_said_to_give_none() -> None:
    with pytest.raises(ConventionError, match="there is no convention 'netron': netron gives no figures"):
        loader.load("netron")


def test_the_conventions_that_words_mean_exist() -> None:
    meant = json.loads(names.MEANT.read_text("utf-8"))

    assert {name for found in meant.values() for name in found} <= set(names.known())
