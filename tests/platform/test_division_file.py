import pytest
from jincai.errors import DataFileError
from jincai.standards import division_file, seed

HEADER = "code,name,level,parent,valid_from_year,valid_to_year\n"
REGION = "450000,广西壮族自治区,province,,2000,\n"


def test_the_shipped_file_is_whole() -> None:
    rows = seed.shipped_divisions()
    count = {level: sum(row.level == level for row in rows) for level in ("province", "city", "county")}
    assert count == {"province": 31, "city": 14, "county": 111}


def test_a_row_is_read() -> None:
    (row,) = division_file.parse(HEADER + "450000,广西,province,,2000,2020\n", "d.csv")
    assert (row.code, row.parent, row.valid_from_year, row.valid_to_year) == ("450000", None, 2000, 2020)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,name\n", "line 1: the columns"),
        ("", "line 1: the columns"),
        (HEADER + REGION + "45010,南宁市,city,450000,2000,\n", "line 3, code"),
        (HEADER + "450000,,province,,2000,\n", "line 2, name"),
        (HEADER + "450000,广西,region,,2000,\n", "line 2, level"),
        (HEADER + "450000,广西,province,,soon,\n", "line 2, valid_from_year"),
        (HEADER + "450000,广西,province,,2000\n", "line 2: expected 6 fields"),
        (HEADER + "450000,广西,province,,2000,,,\n", "line 2: expected 6 fields"),
        (HEADER + REGION + "450102,兴宁区,county,450000,2000,\n", "line 3, parent"),
        (HEADER + REGION + "450100,南宁市,city,460000,2000,\n", "line 3, parent"),
        (HEADER + REGION + REGION, "line 3, code: 450000 from 2000 stands there twice"),
    ],
)
def test_a_wrong_file_names_line_and_field(text: str, said: str) -> None:
    with pytest.raises(DataFileError, match=f"^d.csv, {said}"):
        division_file.parse(text, "d.csv")
