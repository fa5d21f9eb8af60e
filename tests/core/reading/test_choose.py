from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import PluginError, SourceError, UsageError
from flopledger.frontend.description import Frontend
from flopledger.frontend.hookspecs import hookimpl
from flopledger.frontend.request import Request
from flopledger.graph.graph import Graph
from flopledger.graph.tables import Reading
from flopledger.plugins import discovery as plugins
from flopledger.plugins.registry import Registry
from flopledger.reading import choose as reading

if TYPE_CHECKING:
    from collections.abc import Callable


class Net:
    """A model that can be called, as in many frameworks."""

    def __init__(self, depth: int = 1, weights: object = "imagenet", *, pretrained: object = True) -> None:
        self.given = {"depth": depth, "weights": weights, "pretrained": pretrained}

    def __call__(self) -> None:
        raise AssertionError


class OtherNet(Net): ...


def make_net(depth: int) -> Net:
    return Net(depth)


def make_something(depth: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return Net(depth)


class Fake:
    """A frontend that claims classes by their names, and keeps the sources that it has read."""

    def __init__(self, name: str, *claims: str, **about: object) -> None:
        self.about = Frontend(name, name.title(), **about)  # type: ignore[arg-type]
        self.claims = claims
        self.seen: object = None

    @hookimpl
    def frontend(self) -> Frontend:
        return self.about

    @hookimpl
    def recognises_object(self, obj: object) -> bool:
        from flopledger.frontend.description import type_names

        return any(name.endswith(f".{claim}") for name in type_names(obj) for claim in self.claims)

    @hookimpl
    def read(self, source: object, request: Request) -> Graph:
        self.seen = source
        return Graph(Reading(request.source, self.about.name, "Fake"), (), (), (), (), (), ())


class Builder(Fake):
    @hookimpl
    def build(self, factory: Callable[[], object], request: Request) -> object:
        assert request.source == "net"
        model = factory()
        assert isinstance(model, Net)
        model.given["built"] = True
        return model


def registry(*fakes: Fake) -> Registry:
    found = Registry()
    for fake in fakes:
        found.add(plugins.load(fake.about.name, "tests", fake))
    return found


def read_object(obj: object, *fakes: Fake, frontend: str | None = None, **arguments: object) -> Graph:
    return reading.read_object(obj, Request("net", arguments=arguments, frontend=frontend), registry(*fakes))


def test_a_live_model_is_read_as_it_is() -> None:
    fake, net = Fake("fake", "Net"), Net()
    assert read_object(net, fake).reading.frontend == "fake"
    assert fake.seen is net


@pytest.mark.parametrize("factory", [Net, OtherNet, make_net, make_something, functools.partial(Net)])
def test_a_class_or_function_is_called_and_downloads_nothing(factory: object) -> None:
    fake = Fake("fake", "Net")
    read_object(factory, fake, depth=7)
    assert isinstance(fake.seen, Net)
    expected = {"depth": 7, "weights": None, "pretrained": False}
    by_user = {"depth": 7, "weights": "imagenet", "pretrained": True}
    assert fake.seen.given == (by_user if factory in (make_net, make_something) else expected)


def test_weights_that_are_asked_for_are_given() -> None:
    fake = Fake("fake", "Net")
    read_object(Net, fake, weights="mine")
    assert isinstance(fake.seen, Net)
    assert fake.seen.given == {"depth": 1, "weights": "mine", "pretrained": False}


@pytest.mark.parametrize("factory", [Net, make_net])
def test_the_frontend_that_claims_a_class_or_function_builds_the_model(factory: object) -> None:
    builder = Builder("builder", "Net", "make_net")
    read_object(factory, builder, depth=2)
    assert isinstance(builder.seen, Net)
    assert builder.seen.given["built"] is True


def test_a_function_that_nobody_claims_goes_to_the_frontend_whose_classes_its_file_has() -> None:
    builder = Builder("builder", "Net")
    read_object(make_something, builder, depth=2)
    assert isinstance(builder.seen, Net)
    assert builder.seen.given["built"] is True


def test_a_function_that_may_be_anybodys_is_called_and_its_result_is_claimed() -> None:
    builder, other = Builder("builder", "Net"), Fake("other", "OtherNet")
    read_object(make_something, builder, other, depth=2)
    assert isinstance(builder.seen, Net)
    assert "built" not in builder.seen.given


def test_the_frontend_that_claimed_the_function_goes_before_others_that_claim_the_result() -> None:
    assert (
        read_object(
            make_something, Fake("a", "Net"), Fake("b", "make_something", "Net"), depth=1
        ).reading.frontend
        == "b"
    )


def test_several_claims_need_a_choice() -> None:
    first, second = Fake("first", "Net"), Fake("second", "OtherNet")
    with pytest.raises(UsageError, match="net: several frontends read it: first, second"):
        read_object(OtherNet(), first, second)
    assert read_object(OtherNet(), first, second, frontend="second").reading.frontend == "second"
    assert read_object(Net(), first, second).reading.frontend == "first"


def test_an_object_that_nobody_reads_lists_the_frontends_and_what_is_missing_and_broken() -> None:
    found = registry(Fake("fake", module="no_such_framework", extra="fake"))
    found.fail("broken", "acme", OSError("no"))
    with pytest.raises(SourceError) as caught:
        reading.read_object(3, Request("net"), found)
    assert str(caught.value) == (
        "no frontend reads net. The frontends here:\n"
        "  fake: Fake models (Fake is not installed: pip install 'flopledger[fake]')\n"
        "  broken of acme is broken: OSError: no"
    )


def test_a_frontend_whose_framework_is_missing_names_the_extra_to_install() -> None:
    fake = Fake("fake", "Net", module="no_such_framework", extra="fake")
    with pytest.raises(
        SourceError, match=r"needs Fake, which is not installed: pip install 'flopledger\[fake\]'"
    ):
        read_object(Net(), fake)


def test_a_broken_frontend_that_is_chosen_says_why() -> None:
    found = registry()
    found.fail("broken", "acme", OSError("no"))
    with pytest.raises(PluginError, match="the frontend 'broken' of acme is broken: OSError: no"):
        reading.read_object(Net(), Request("net", frontend="broken"), found)


class Failing(Fake):
    @hookimpl
    def recognises_object(self, obj: object) -> bool:
        raise RuntimeError(str(type(obj)))


def test_a_frontend_that_fails_to_recognise_is_shown_and_hurts_no_other() -> None:
    found = registry(Failing("failing"), Fake("fake", "Net"))
    assert reading.read_object(Net(), Request("net"), found).reading.frontend == "fake"
    assert found.failures["failing", "tests"].error.startswith("RuntimeError: <class ")


class Wrong(Fake):
    @hookimpl
    def read(self, source: object, request: Request) -> Graph:
        return f"{source} {request.source}"  # type: ignore[return-value]


def test_a_frontend_that_reads_no_graph_is_at_fault() -> None:
    with pytest.raises(PluginError, match="the frontend 'wrong' read net as"):
        read_object(Net(), Wrong("wrong", "Net"))


def nothing() -> None:
    return None


def test_a_function_that_makes_nothing_is_refused() -> None:
    with pytest.raises(SourceError, match="net was called and gave None, expected a model"):
        read_object(nothing, Fake("fake", "Net"))


def many(first: int, second: int, /, *rest: int, third: int, fourth: int = 4) -> Net:
    return Net(first + second + third + fourth + sum(rest))


@pytest.mark.parametrize(
    ("factory", "arguments", "reason"),
    [
        (make_net, {}, r"net needs the argument depth: give --arg depth=\.\.\.\. It is net\(depth: "),
        (many, {}, "net needs the arguments first, second, third: give --arg first="),
        (make_net, {"deph": 3}, "net takes no argument 'deph'; did you mean 'depth'?"),
        (nothing, {"depth": 3}, "net takes no argument 'depth'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    factory: object, arguments: dict[str, object], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        read_object(factory, Fake("fake", "Net"), **arguments)


def test_a_model_takes_no_arguments() -> None:
    with pytest.raises(UsageError, match="net is a model already: --arg is for a class or function"):
        read_object(Net(), Fake("fake", "Net"), depth=3)
