"""A changed decision that changes no figure is named, with the calls that it would act on."""

from __future__ import annotations

from flopledger.conventions import loader
from flopledger.counting import idle
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin


def said_of(switch: str, value: str, *, causal: bool) -> list[str]:
    """Return the message about a changed decision over attention in 3 places."""
    builder = GraphBuilder(builtin())
    q = builder.input("q", (1, 3, 4))
    out = builder.tensor((1, 3, 4))
    builder.layer("a", "attention", "Attention", inputs=[q, q, q], outputs=[out], attrs={"causal": causal})
    graph = builder.build(Reading("net", "toy", "toy"), [out])
    return list(idle.without_effect(graph, loader.load("mac").set({switch: value})))


def test_a_switch_without_effect_says_what_it_looks_for() -> None:
    (line,) = said_of("causal", "exact", causal=False)
    assert line.startswith("net: causal=exact changes nothing: no attention under a causal mask")
    assert not said_of("causal", "exact", causal=True)
    assert not said_of("bias", "add", causal=False)
