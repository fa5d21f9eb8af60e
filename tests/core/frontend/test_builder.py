"""The builder of graphs."""

from __future__ import annotations

from flopledger.frontend import GraphBuilder, builtin


def test_what_is_taken_back_leaves_its_paths_free() -> None:
    builder = GraphBuilder(builtin())
    builder.layer("a", "identity", "toy.A", outputs=[builder.tensor((1,))])
    state = builder.checkpoint()
    for path in ("a", "b", "a"):
        builder.layer(path, "identity", "toy.A", outputs=[builder.tensor((1,))])
    assert [layer.path for layer in builder.layers] == ["a", "a#2", "b", "a#3"]

    builder.rollback(state)

    assert [layer.path for layer in builder.layers] == ["a"]
    assert len(builder.tensors) == 1
    assert [builder.unique_path(path) for path in ("a", "b")] == ["a#2", "b"]
