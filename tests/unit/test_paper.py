"""Pages on paper."""

import re
import zlib

import pytest

from rollout.paper import pdf

PAGE = (
    "<html lang='zh-CN'><body style='font-family: \"WenQuanYi Zen Hei\"'><h1>推进情况通报</h1></body></html>"
)


def test_a_chinese_page_becomes_a_pdf_with_its_font() -> None:
    made = pdf(PAGE)
    assert made.startswith(b"%PDF-")
    # The glyphs are embedded: readers on other machines need no Chinese font.
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    assert any(b"/FontFile" in _opened(stream) for stream in [made, *streams])


def _opened(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def test_nothing_is_loaded_from_anywhere() -> None:
    with pytest.raises(ValueError, match=r"loads nothing.*example\.invalid"):
        pdf("<img src='https://example.invalid/x.png'>")
