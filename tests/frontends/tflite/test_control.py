from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tflite_files import BOOL, INT32, Graph, Op, Tensor, model, numbers, weight

if TYPE_CHECKING:
    from conftest import Read

ADD, DENSE, LESS, IF, WHILE, CALL, ONCE, COMPOSITE = 0, 9, 58, 118, 119, 31, 129, 206


def dense(name: str, *, wide: bool = False) -> Graph:
    """A graph of one dense layer of 4 features, or of two."""
    tensors = [Tensor("x", (1, 4)), weight(f"w{name}", 4, 4), Tensor("h", (1, 4))]
    operators = [Op(DENSE, ["x", f"w{name}"], ["h"], 8, "b0")]
    if wide:
        tensors += [weight(f"v{name}", 4, 4), Tensor("y", (1, 4))]
        operators.append(Op(DENSE, ["h", f"v{name}"], ["y"], 8, "b0"))
    return Graph(tensors, operators, ["x"], ["y" if wide else "h"])


def branched(condition: Tensor, *, wide: bool) -> bytes:
    tensors = [condition, Tensor("x", (1, 4)), Tensor("y", (1, 4))]
    free = [condition.name] if condition.values is None else []
    top = Graph(tensors, [Op(IF, [condition.name, "x"], ["y"], 92, "i1 i2")], [*free, "x"], ["y"])
    return model(top, dense("a"), dense("b", wide=wide))


def test_the_branch_that_a_known_condition_takes_is_read_and_both_weights_are_stored(read: Read) -> None:
    total = read(branched(Tensor("c", (), BOOL, (False,)), wide=True)).count("mac").total
    assert (total.count, total.params) == (32, 48)


def test_branches_of_equal_work_count_once(read: Read) -> None:
    ledger = read(branched(Tensor("c", (), BOOL), wide=False)).count("mac")
    assert (ledger.total.count, ledger.total.params, ledger.coverage.unknown) == (16, 32, ())


def test_branches_of_other_work_are_unknown_with_both_figures(read: Read) -> None:
    graph = read(branched(Tensor("c", (), BOOL), wide=True))
    assert graph.layers[1].problem == "which branch runs depends on data: then 16 MAC, else 32 MAC"
    assert [u.source for u in graph.count("mac").coverage.unknown] == ["IF"]
    assert graph.count("mac").total.params == 48


def looped(limit: Tensor) -> bytes:
    """While i < limit: x = dense(x), i += 1; the weight goes through the loop as it is."""
    free = ["limit"] if limit.values is None else []
    top = Graph(
        [numbers("i", 0, shape=()), Tensor("x", (1, 4)), weight("w", 4, 4), limit,
         Tensor("i2", (), INT32), Tensor("y", (1, 4)), Tensor("w2", (4, 4)), Tensor("n2", (), INT32)],
        [Op(WHILE, ["i", "x", "w", "limit"], ["i2", "y", "w2", "n2"], 93, "i1 i2")],
        ["x", *free], ["y"],
    )  # fmt: skip
    carried = [Tensor("i", (), INT32), Tensor("x", (1, 4)), Tensor("w", (4, 4)), Tensor("n", (), INT32)]
    names = [tensor.name for tensor in carried]
    condition = Graph([*carried, Tensor("go", (), BOOL)], [Op(LESS, ["i", "n"], ["go"])], names, ["go"])
    body = Graph(
        [*carried, numbers("one", 1, shape=()), Tensor("j", (), INT32), Tensor("y", (1, 4))],
        [Op(ADD, ["i", "one"], ["j"], 11, "b0"), Op(DENSE, ["x", "w"], ["y"], 8, "b0")],
        names, ["j", "y", "w", "n"],
    )  # fmt: skip
    return model(top, condition, body)


def test_a_loop_that_counts_runs_as_often_as_it_counts(read: Read) -> None:
    ledger = read(looped(numbers("limit", 5, shape=()))).count("mac")
    assert (ledger.total.count, ledger.total.params, ledger.coverage.unknown) == (5 * 16, 16, ())


def test_a_loop_whose_count_is_data_is_unknown_with_the_work_of_one_turn(read: Read) -> None:
    graph = read(looped(Tensor("limit", (), INT32)))
    assert graph.layers[1].problem == "how often its body runs depends on data; once is 16 MAC"
    assert graph.count("mac").total.params == 16


def test_a_loop_without_an_end_is_followed_for_a_while(read: Read) -> None:
    graph = read(looped(numbers("limit", 2**31 - 1, shape=())))
    assert "more than are followed; once is 16 MAC" in graph.layers[1].problem


@pytest.mark.parametrize(("code", "type_", "later"), [(CALL, 16, False), (COMPOSITE, 21, True)])
def test_a_graph_that_is_called_counts_as_its_operators(
    read: Read,
    code: int,
    type_: int,
    later: bool,  # noqa: FBT001
) -> None:
    options = "s:odd.op i1" if later else "I1"
    top = Graph(
        [Tensor("x", (1, 4)), Tensor("y", (1, 4))],
        [Op(code, ["x"], ["y"], type_, options, later=later)], ["x"], ["y"],
    )  # fmt: skip
    total = read(model(top, dense("a", wide=True))).count("mac").total
    assert (total.count, total.params) == (32, 32)


def test_what_runs_once_before_the_first_inference_is_no_part_of_one(read: Read) -> None:
    top = Graph([Tensor("x", (1, 4))], [Op(ONCE, [], [], 103, "i1")], ["x"], ["x"])
    assert read(model(top, dense("a"))).count("mac").total.count == 0
