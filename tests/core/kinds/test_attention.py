from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

Q, K, V = (2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6)


def test_attention_is_two_products(ask: Ask) -> None:
    found = ask("attention", Q, K, V)
    # 2 * 3 heads: 5 * 7 scores of 4 terms, 5 * 6 results of 7 terms
    assert found.shapes == ((2, 3, 5, 6),)
    # of each of the 35 pairs, in 6 heads: 4 + 6 terms, and one score
    pairs = {"queries": 5, "keys": 7, "pair_macs": 60, "pair_dots": 6}
    assert found.facts == {"macs": 2100, "dots": 390, **pairs}


def test_between_the_products_scores_are_scaled_and_made_to_sum_to_one(ask: Ask) -> None:
    found = ask("attention", Q, K, V)
    # 210 scores in 30 rows. Products 2100, sums 2100 - 390; softmax: 210 differences, 180 sums
    assert found.parts == {
        "multiplies": 2310,
        "adds": 1710 + 390,
        "bias_adds": 0,
        "compares": 180,
        "exps": 210,
        "divides": 210,
    }


def test_a_mask_is_one_addition_for_each_score(ask: Ask) -> None:
    assert ask("attention", Q, K, V, mask=True).parts["adds"] == 2310


def test_a_mask_has_a_value_for_each_query_and_key(ask: Ask) -> None:
    found = ask("attention_mask", batch=2, queries=3, keys=7, offset=4)
    assert found.shapes == ((2, 1, 3, 7),)
    assert not found.parts


def test_heads_of_a_query_may_share_a_key(ask: Ask) -> None:
    found = ask("attention", (1, 4, 5, 8), (1, 2, 5, 8), (1, 2, 5, 8), grouped=True)
    assert found.shapes == ((1, 4, 5, 8),)
    assert found.facts["macs"] == 4 * 5 * 5 * 16


@pytest.mark.parametrize("shapes", [((4,), (4,), (4,)), (Q, K), (Q, (2, 3, 7, 5), V), (Q, K, (2, 3, 8, 6))])
def test_operands_that_do_not_fit_are_refused(ask: Ask, shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ShapeError):
        ask("attention", *shapes)


def test_multi_head_attention_has_four_projections(ask: Ask) -> None:
    found = ask("multi_head_attention", (5, 2, 8), (7, 2, 6), (7, 2, 4), embed_dim=8, heads=2)
    # 2 sequences: 8 * (5 * 8 + 7 * 6 + 7 * 4 + 5 * 8) = 1200 in projections, 2 * 5 * 7 * 8 = 560
    assert found.shapes == ((5, 2, 8),)
    assert found.facts["macs"] == 2 * (1200 + 560)
    # results: 8 * (5 + 7 + 7 + 5) of projections, 5 * 7 scores in 2 heads, 5 * 8 of values
    assert found.facts["dots"] == 2 * (192 + 70 + 40)
    assert found.parts["bias_adds"] == 2 * 8 * 24


def test_a_pair_of_query_and_key_has_terms_and_scores_in_each_sequence(ask: Ask) -> None:
    found = ask("multi_head_attention", (5, 2, 8), embed_dim=8, heads=2).facts
    # 2 sequences: four projections of 5 * 8 * 8, then 25 pairs of 2 * 8 terms; 5 * 8 results of each of them
    # and of the values, 25 scores in each of 2 heads
    pairs = {"queries": 5, "keys": 5, "pair_macs": 2 * 16, "pair_dots": 2 * 2}
    assert found == {"macs": 3360, "dots": 500, **pairs}


def test_the_values_are_the_keys_where_only_two_inputs_are_given(ask: Ask) -> None:
    found = ask("multi_head_attention", (5, 2, 8), (7, 2, 6), embed_dim=8, heads=2, bias=False)
    # 8 * (5 * 8 + 2 * 7 * 6 + 5 * 8) in projections, 2 * 5 * 7 * 8, in 2 sequences
    assert (found.facts["macs"], found.parts["bias_adds"]) == (2 * (1312 + 560), 0)


def test_keys_that_are_added_are_not_projected(ask: Ask) -> None:
    plain = ask("multi_head_attention", (5, 2, 8), embed_dim=8, heads=2).facts["macs"]
    more = ask("multi_head_attention", (5, 2, 8), embed_dim=8, heads=2, extra_keys=1).facts["macs"]
    # one key more for 5 queries in 2 sequences, 8 features twice
    assert more - plain == 2 * 5 * 16


def test_the_batch_may_be_first_or_absent(ask: Ask) -> None:
    last = ask("multi_head_attention", (5, 2, 8), embed_dim=8, heads=2).facts
    assert ask("multi_head_attention", (2, 5, 8), embed_dim=8, heads=2, batch_first=True).facts == last
    alone = ask("multi_head_attention", (5, 8), embed_dim=8, heads=2, batch_first=True).facts
    names = ("macs", "dots", "pair_macs", "pair_dots")
    assert [2 * alone[name] for name in names] == [last[name] for name in names]


def test_an_encoder_layer_adds_two_dense_layers(ask: Ask) -> None:
    found = ask(
        "transformer_encoder_layer", (2, 5, 8), embed_dim=8, heads=2, batch_first=True, feedforward=16
    )
    # attention takes 2 * (4 * 5 * 8 * 8 + 2 * 5 * 5 * 8) = 3360, the dense layers 2 * 10 * 8 * 16 = 2560
    assert found.shapes == ((2, 5, 8),)
    assert found.facts["macs"] == 5920
    # 10 rows, 80 elements: two norms take 4 divisions a row; softmax one for each of 100 scores
    assert found.parts["divides"] == 140
    assert found.parts["sqrts"] == 20
    # a comparison for each of 160 hidden elements, and 100 - 20 for the largest score of each row
    assert found.parts["compares"] == 240


def test_each_part_of_an_encoder_layer_is_counted(ask: Ask) -> None:
    attrs = {"embed_dim": 8, "heads": 2, "batch_first": True, "feedforward": 16}
    found = ask("transformer_encoder_layer", (2, 5, 8), **attrs)
    # attention: 500 dot products of 3360 terms; dense layers: 10 * (16 + 8) of 2560
    pairs = {"queries": 5, "keys": 5, "pair_macs": 2 * 16, "pair_dots": 2 * 2}
    assert found.facts == {"macs": 5920, "dots": 740, **pairs}
    # softmax: 100 scales, 100 - 20 sums and 100 differences; two sums of 80; norms of 80 elements in 10 rows,
    # twice: 3 * 80 products and 4 * 80 - 10 additions each; biases: 8 * 40 and 10 * 24
    assert found.parts == {
        "multiplies": 5920 + 100 + 480,
        "adds": (5920 - 740) + 180 + 160 + 620,
        "bias_adds": 320 + 240,
        "compares": 240,
        "exps": 100,
        "divides": 140,
        "sqrts": 20,
    }
    assert ask("transformer_encoder_layer", (2, 5, 8), **attrs, bias=False).parts["bias_adds"] == 0


def test_an_unknown_activation_is_refused(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="'gloo' is no activation"):
        ask("transformer_encoder_layer", (5, 8), embed_dim=8, heads=2, feedforward=16, activation="gloo")


def test_two_axes_are_enough(ask: Ask) -> None:
    found = ask("attention", (5, 4), (7, 4), (7, 6))
    # 5 * 7 scores of 4 terms, 5 * 6 results of 7 terms
    assert (found.shapes, found.facts["macs"]) == (((5, 6),), 350)


def test_a_fourth_input_is_a_mask_and_no_operand(ask: Ask) -> None:
    found = ask("attention", Q, K, V, (7,), mask=True)
    assert (found.shapes, found.facts) == (((2, 3, 5, 6),), ask("attention", Q, K, V).facts)
