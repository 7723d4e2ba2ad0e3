"""Dropped files as texts: what they say, and everything that is refused, by line and field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jincai.socket.drop import csv_file, names, xml_file
from jincai.socket.drop.convert import convert
from jincai.socket.drop.lines import FileRefusedError, Line
from jincai_payment.api import PaymentOrder

SCHEMA = PaymentOrder.model_json_schema()


def refusal(reader, data: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(FileRefusedError) as found:
        reader.read(data, "en")
    return [(one.line, one.field, one.expected) for one in found.value.mistakes]


def test_csv_says_line_and_field() -> None:
    data = '\ufeffStYear,PaySummaryName\r\n2010,"办公\n用品"\r\n\r\n2010,差旅\r\n'.encode()
    lines = csv_file.read(data, "en")
    assert [(one.number, one.place, one.texts["PaySummaryName"]) for one in lines] == [
        (2, 1, "办公\n用品"),
        (5, 2, "差旅"),
    ]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", [(1, "", "field names in the first line")]),
        (b"a\n", [(1, "", "at least one line after the header")]),
        (b"a,a\n1,2\n", [(1, "a", "each field name once")]),
        (b"a,b\n1,2\n1\n1,2,3\n", [(3, "", "2 fields"), (4, "", "2 fields")]),
        (b"a\nok\n\xff\xfe\n", [(3, "", "UTF-8")]),
        ("a\n付款\n".encode("gb18030"), [(2, "", "UTF-8")]),
        (b"a\n\0\n", [(2, "", "text without NUL")]),
        (b'a\n"open\n', [(2, "", "CSV (RFC 4180)")]),
        (b"a\n" + b"x" * 200_000 + b"\n", [(2, "", "CSV (RFC 4180)")]),
        (b"a\n" + b"1\n" * 100_001, [(100_002, "", "100000 lines at most; split it")]),
    ],
    ids=lambda one: "" if isinstance(one, list) else repr(one[:12]),
)
def test_wrong_csv_is_refused(data: bytes, found: list) -> None:
    assert refusal(csv_file, data) == found


def test_xml_says_line_and_field() -> None:
    data = b"<documents>\n<document><StYear>2010</StYear></document>\n<document/></documents>"
    assert xml_file.read(data, "en") == [Line(2, 1, {"StYear": "2010"}), Line(3, 2, {})]


BOMB = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<documents>&b;</documents>'


@pytest.mark.parametrize(
    ("data", "line", "expected"),
    [
        (BOMB, 1, "XML without DTD and entities"),
        (b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><documents/>', 1, "XML without DTD and entities"),
        (b"<documents>\n<document><x>&what;</x></document></documents>", 2, "XML"),
        (b"<documents>\n<document>\n</documents>", 3, "XML"),
        (b"", 1, "XML"),
        (b"<documents/>", 1, "<documents><document>\u2026"),
        (b"<orders/>", 1, "<documents>"),
        (b"<documents>\n<order/></documents>", 2, "<document>"),
        (b"<documents>\n<document><a><b/></a></document></documents>", 2, "</a>"),
        (b"<documents>\n<document id='1'/></documents>", 2, "no attributes"),
        (b"<documents>\n<document><a>1</a>\n<a>2</a></document></documents>", 3, "each field once"),
        (b"<documents>\nstray<document/></documents>", 2, "<documents><document><Field>"),
        (b"<documents>\n<document>\xff</document></documents>", 2, "UTF-8"),
        (
            b"<documents>" + b"<document/>\n" * 100_001 + b"</documents>",
            100_001,
            "100000 lines at most; split it",
        ),
    ],
    ids=lambda one: repr(one[:40]) if isinstance(one, bytes) else "",
)
def test_wrong_xml_is_refused(data: bytes, line: int, expected: str) -> None:
    assert [(one[0], one[2]) for one in refusal(xml_file, data)] == [(line, expected)]


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_yuan_become_fen_exactly(fen: int) -> None:
    sign, (yuan, rest) = "-" * (fen < 0), divmod(abs(fen), 100)
    assert names.STANDARD["PayAmt"].parse(f"{sign}{yuan}.{rest:02}") == fen


@given(st.text(max_size=12))
def test_no_text_breaks_a_reading(text: str) -> None:
    for name in names.STANDARD.values():
        assert name.parse(text) is None or isinstance(name.parse(text), int | str)


def test_both_kinds_of_names_are_read() -> None:
    texts = {
        "AdmDivCode": "450100000",
        "StYear": "2010",
        "PayAmt": "12.5",
        "VouDate": "20100305",
        "undoes": "",
    }
    converted = convert([Line(2, 1, texts | {"quota_id": "7"})], SCHEMA, "en")
    expected = {
        "division": "450100",
        "fiscal_year": 2010,
        "amount": 1250,
        "pay_date": "2010-03-05",
        "quota_id": 7,
    }
    assert list(converted.documents) == [expected]
    assert (converted.fiscal_year, converted.division) == (2010, "450100")


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"PayAmt": "1,000.00"}, "PayAmt"),
        ({"PayAmt": "1.005"}, "PayAmt"),
        ({"amount": "1.00"}, "amount"),
        ({"amount": "\uff11"}, "amount"),
        ({"PayAmt": "1.00", "amount": "100"}, "amount"),
        ({"VouDate": "5.3.2010"}, "VouDate"),
        ({"Vat": "1"}, "Vat"),
        ({"FundTypeCode": "1"}, "FundTypeCode"),
    ],
)
def test_what_cannot_be_read_is_named(texts: dict, field: str) -> None:
    with pytest.raises(FileRefusedError) as found:
        convert([Line(2, 1, {"StYear": "2010", "AdmDivCode": "450100", **texts})], SCHEMA, "en")
    assert [(one.line, one.field) for one in found.value.mistakes] == [(2, field)]


def test_without_year_and_division_nothing_is_sent() -> None:
    with pytest.raises(FileRefusedError) as found:
        convert([Line(2, 1, {"amount": "1"})], SCHEMA, "en")
    assert found.value.mistakes[0].field == "fiscal_year, division"
