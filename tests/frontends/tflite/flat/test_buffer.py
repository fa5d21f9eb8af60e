from __future__ import annotations

import pytest
from flopledger.errors import SourceError
from flopledger_tflite.flat.buffer import MOST_READ, Flat
from tflite_files import Table, encode


def root(**fields: object) -> bytes:
    return encode(Table({int(name[1:]): value for name, value in fields.items()}))  # type: ignore[misc]


def test_fields_are_read_by_their_numbers_and_have_defaults() -> None:
    table = Flat(root(f0=("i", -7), f2=("f", 0.5), f3=("text", "näme"), f5=("[q]", [1, -(2**40)]))).root()
    assert (table.whole(0, "i"), table.whole(1, "i", 3), table.real(2), table.text(3)) == (-7, 3, 0.5, "näme")
    assert (table.numbers(5, "q"), table.numbers(4, "i"), table.text(9)) == ((1, -(2**40)), None, "")


def test_tables_are_read_in_vectors_and_in_fields() -> None:
    inner = [Table({0: ("i", i)}) for i in range(3)]
    table = Flat(root(f0=("[table]", inner), f1=("table", inner[2]))).root()
    assert [each.whole(0, "i") for each in table.tables(0)] == [0, 1, 2]
    only = table.table(1)
    assert only is not None
    assert only.whole(0, "i") == 2
    assert list(table.tables(4)) == []
    assert table.table(4) is None


def test_a_vector_that_goes_on_beyond_the_file_is_refused() -> None:
    content = bytearray(root(f0=("[i]", [1, 2, 3])))
    content[-16:-12] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(SourceError, match=r"1,073,741,824 entries of 4 bytes go on beyond the end"):
        Flat(bytes(content)).root().numbers(0, "i")


@pytest.mark.parametrize("start", [b"\xff\xff\xff\x7f", b"\x0e\0\0\0", b""])
def test_a_table_outside_of_the_file_is_refused(start: bytes) -> None:
    content = start + b"TFL3" + b"\xff" * 8 if start else b""
    with pytest.raises(SourceError, match="it is no TFLite model: at byte"):
        Flat(content).root()


def test_one_table_that_is_named_over_and_over_is_read_so_often_only() -> None:
    flat = Flat(root(f0=("[i]", [0] * 1000)))
    flat.left = 500
    table = flat.root()
    with pytest.raises(SourceError, match=f"more than {MOST_READ:,} fields"):
        table.numbers(0, "i")


def test_one_text_that_is_named_over_and_over_is_read_so_often_only() -> None:
    """A name of 65,536 bytes counts as 32,768 fields, so that 915 tensors may share it, 60 MB in all."""
    assert MOST_READ // 32_768 == 915
    flat = Flat(root(f0=("text", "x" * 65_536)))
    flat.left = 2 * 32_768
    table = flat.root()
    assert len(table.text(0)) == 65_536
    with pytest.raises(SourceError, match=f"more than {MOST_READ:,} fields"):
        table.text(0)
