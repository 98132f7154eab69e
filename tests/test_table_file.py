"""Tables that users bring: separators, names, and errors that say where."""

from __future__ import annotations

import numpy as np
import pytest

from ktc._commands.table_file import read_table
from refusal import refused


def written(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


VALUES = [[1.0, -2.5], [3e-3, 4.0]]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1,-2.5\n3e-3,4\n", ("", "")),
        ("1,-2.5\n3e-3,4", ("", "")),
        ("a,b\n1,-2.5\n3e-3,4\n", ("a", "b")),
        ("a;b\n1;-2.5\n3e-3;4\n", ("a", "b")),
        ("a\tb\n1\t-2.5\n3e-3\t4\n", ("a", "b")),
        ("a b\n1 -2.5\n3e-3 4\n", ("a", "b")),
        ("  1    -2.5  \n 3e-3\t 4\n", ("", "")),
        ("a, b\r\n1, -2.5\r\n3e-3, 4\r\n", ("a", "b")),
        ("\ufeffa,b\n1,-2.5\n3e-3,4\n", ("a", "b")),
        ('"x, y","say ""hi"""\n"1",-2.5\n3e-3,"4"\n', ("x, y", 'say "hi"')),
        ('"my a" b\n1 -2.5\n3e-3 4\n', ("my a", "b")),
        ("# a comment, with; marks\n\na,b\n\n1,-2.5\n\n# more\n3e-3,4\n\n", ("a", "b")),
        ("a,\n1,-2.5\n3e-3,4\n", ("a", "")),
        ("Größe,µ\n1,-2.5\n3e-3,4\n", ("Größe", "µ")),
        (b"1,-2.5\r3e-3,4\r", ("", "")),
    ],
)
def test_tables_of_many_kinds(tmp_path, content, names):
    table = read_table(written(tmp_path, content))
    assert table.names == names
    np.testing.assert_array_equal(table.values, VALUES)
    assert table.values.dtype == np.float64


def test_a_table_of_one_column_or_one_row(tmp_path):
    assert read_table(written(tmp_path, "x\n1\n2\n")).values.tolist() == [[1.0], [2.0]]
    assert read_table(written(tmp_path, "1,2,3\n")).values.tolist() == [[1.0, 2.0, 3.0]]


def test_what_numpy_writes_is_read_back_to_the_bit(tmp_path):
    values = np.random.default_rng(1).normal(size=(30, 4)) * 1e-7
    np.savetxt(tmp_path / "a.txt", values, header="one two three four")
    np.testing.assert_array_equal(read_table(tmp_path / "a.txt").values, values)


def test_labels_name_columns_or_number_them_from_one(tmp_path):
    table = read_table(written(tmp_path, "a,\n1,2\n"))
    assert [table.label(0), table.label(1)] == ["a", "column 2"]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["table.csv is empty", "at least one row"]),
        ("\n\n  \n", ["is empty"]),
        ("# only a comment\n", ["is empty"]),
        ("a,b\n", ["names of columns but no row of numbers"]),
        ("a,b\n1,2\n3,x\n", ["line 3, column 2 ('b')", "'x' is not a finite number"]),
        ("a,b\n\n# skipped\n1,2\n3,x\n", ["line 5, column 2 ('b')"]),
        ("1,2\n3,x\n", ["line 2, column 2:", "'x' is not a finite number"]),
        ("1,x\n3,4\n", ["line 1, column 2:", "'x'"]),
        ("a,b\n1,\n", ["line 2, column 2 ('b')", "missing", "drop the row"]),
        ("a,b\n,2\n", ["line 2, column 1 ('a')", "missing"]),
        (",\n1,2\n", ["line 1, column 1:", "missing"]),
        ("a,b\n1,NaN\n", ["line 2, column 2", "missing"]),
        ("a,b\n1,NA\n", ["line 2, column 2", "missing"]),
        ("a,b\n1,inf\n", ["line 2, column 2", "'inf' is not a finite number"]),
        ("a,b\n1,1_000\n", ["line 2, column 2", "'1_000'"]),
        ("a,b\n1,0x10\n", ["line 2, column 2", "'0x10'"]),
        ("a;b\n1;2,5\n", ["line 2, column 2", "'2,5'", "use a point as decimal mark"]),
        ("a,b\n1,2\n3\n", ["line 3: the first row has 2 columns, but this one 1"]),
        ("a,b\n1,2,3\n", ["line 2: the first row has 2 columns, but this one 3"]),
        ('a,"b\nc"\n1,2\n3,x\n', ["line 4, column 2", "'b\\nc'"]),
        ('a,b\n1,"2\n', ["line 2", "unexpected end"]),
        (b"a,b\n1,\xff\n", ["is not UTF-8 text", "byte 6", "save it as UTF-8"]),
        ("a,b\n1,2\n".encode("utf-16"), ["is not UTF-8 text"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, content, parts):
    with refused(ValueError, *parts):
        read_table(written(tmp_path, content))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")
