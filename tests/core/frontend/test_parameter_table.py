from __future__ import annotations

from flopledger.frontend import Parameter, ParameterTable


class Tensor:
    """A weight as a framework would have it."""


def add(
    table: ParameterTable, tensor: Tensor, *paths: str, name: str = "weight", memory: object = None
) -> int:
    return table.add(
        tensor, paths, name, shape=(2, 3), dtype="float32", role="weight", trainable=True, memory=memory
    )


def test_an_object_that_is_registered_twice_is_one_row_with_all_its_names() -> None:
    table, shared, other = ParameterTable(), Tensor(), Tensor()

    assert [add(table, shared, "", "copy"), add(table, other, "b"), add(table, shared, "c", name="w")] == [
        0,
        1,
        0,
    ]
    assert table.rows() == [
        Parameter(
            0,
            ("weight", "copy.weight", "c.w"),
            (2, 3),
            "float32",
            "weight",
            trainable=True,
            object=0,
            storage=0,
        ),
        Parameter(1, ("b.weight",), (2, 3), "float32", "weight", trainable=True, object=1, storage=1),
    ]


def test_objects_in_the_same_memory_share_their_storage_and_stay_apart() -> None:
    table = ParameterTable()
    for memory in ((7, 6), None, (7, 6), None):
        add(table, Tensor(), "a", memory=memory)

    assert [(row.object, row.storage) for row in table.rows()] == [(0, 0), (1, 1), (2, 0), (3, 3)]


def test_a_tensor_that_nobody_else_holds_keeps_its_identity() -> None:
    table = ParameterTable()
    for _ in range(100):  # each would be freed, and the next have its id
        add(table, Tensor(), "a")

    assert len(table.rows()) == 100
