"""Reads a dropped XML file: ``<documents><document><Field>text</Field>…</document>…</documents>``."""

import xml.sax.handler
from xml.sax import SAXParseException
from xml.sax.xmlreader import AttributesImpl, Locator

import defusedxml.sax
from defusedxml import DefusedXmlException

from jincai.language import Language
from jincai.socket.drop.lines import LINES_MOST, Line, refused, text_of, too_many


def read(data: bytes, lang: Language) -> list[Line]:
    """The documents of the file.

    Raises:
        FileRefusedError: it is no UTF-8, no well-formed XML, has a DTD or entities, or another shape.
    """
    text_of(data, lang)
    handler = _Handler(lang)
    try:
        defusedxml.sax.parseString(data, handler, forbid_dtd=True)
    except DefusedXmlException:
        expected = "不含 DTD 与实体的 XML" if lang == "zh" else "XML without DTD and entities"
        raise refused(handler.line, "", "<!DOCTYPE", expected) from None
    except SAXParseException as error:
        raise refused(error.getLineNumber() or 1, "", error.getMessage(), "XML") from None
    except (LookupError, ValueError) as error:
        raise refused(1, "", str(error), "XML, UTF-8") from None
    if not handler.lines:
        raise refused(1, "", "", "<documents><document>…")
    return handler.lines


class _Handler(xml.sax.handler.ContentHandler):
    def __init__(self, lang: Language) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self._lang = lang
        self._open: list[str] = []
        self._text: list[str] = []
        self._at: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the base class's name
        self._at = locator

    @property
    def line(self) -> int:
        """Where the parser is."""
        return (self._at.getLineNumber() if self._at else None) or 1

    def startElement(self, name: str, attrs: "AttributesImpl[str]") -> None:  # noqa: N802 - as above
        depth = len(self._open)
        expected = ("documents", "document", name)[depth] if depth < 3 else f"</{self._open[-1]}>"
        if depth > 2 or name != expected:
            raise refused(self.line, name, f"<{name}>", f"<{expected}>" if depth < 3 else expected)
        if len(attrs):
            raise refused(
                self.line, name, next(iter(attrs.keys())), "没有属性" if self._zh else "no attributes"
            )
        if depth == 1:
            if len(self.lines) == LINES_MOST:
                raise refused(self.line, "", "", too_many(self._lang))
            self.lines.append(Line(self.line, len(self.lines) + 1, {}))
        if depth == 2 and name in self.lines[-1].texts:
            raise refused(self.line, name, f"<{name}>", "字段不得重复" if self._zh else "each field once")
        self._open.append(name)
        self._text.clear()

    def characters(self, content: str) -> None:
        if len(self._open) < 3 and content.strip():
            raise refused(self.line, "", content.strip(), "<documents><document><Field>")
        self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - as above
        self._open.pop()
        if len(self._open) == 2:
            self.lines[-1].texts[name] = "".join(self._text)

    @property
    def _zh(self) -> bool:
        return self._lang == "zh"
