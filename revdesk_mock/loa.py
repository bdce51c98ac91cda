"""Letters of authorization: the page that a company signs so that the carrier may act for it, as a PDF."""

from collections.abc import Iterable, Mapping
from html import escape
from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    HRFlowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from revdesk_mock.clock import iso
from revdesk_mock.messages import Record

FILENAME = "letter-of-authorization.pdf"
TITLE = "Letter of Authorization"
BODY = """\
{company} (the "Company") authorizes RevDesk and the carriers that RevDesk works with to register the Company as the
caller behind the telephone numbers of its RevDesk account, to follow how these numbers are rated and labeled, and to
ask in the Company's name for wrong labels to be corrected.

The Company declares that what this letter says about it is true, that it may use these numbers, and that the calls
from them are made within the law.

This authorization holds from the day it is signed until the Company withdraws it in writing. Who signs below may do so
for the Company."""
FOOTER = "A specimen by revdesk-mock, an emulator. It authorizes nobody to do anything."
LONGEST = 255  # characters of a value on the page; the PDF's metadata has names in full

ROMAN, BOLD, ITALIC = "Vera", "VeraBd", "VeraIt"  # embedded in the PDF
OTHER_SCRIPTS = "HeiseiKakuGo-W5"  # only named in it: whoever shows the page brings the letters
INK, GRAY = HexColor("#1a1a1a"), HexColor("#6b6b6b")
WIDTHS = (120, 336)  # points; of labels and values, together what the margins leave

FONTS = tuple(TTFont(name, f"{name}.ttf") for name in (ROMAN, BOLD, ITALIC))
for _font in FONTS:
    registerFont(_font)
registerFont(UnicodeCIDFont(OTHER_SCRIPTS))
EMBEDDED = frozenset(FONTS[0].face.charToGlyph)  # the code points that the page can show itself

PLAIN = ParagraphStyle("plain", fontName=ROMAN, fontSize=9.5, leading=13, textColor=INK, autoLeading="max")
PROSE = ParagraphStyle("prose", PLAIN, leading=15, spaceAfter=10)
LABEL = ParagraphStyle("label", PLAIN, textColor=GRAY)
SMALL = ParagraphStyle("small", LABEL, fontSize=7)
HEADING = ParagraphStyle("heading", PLAIN, fontName=BOLD, fontSize=18, leading=24)


def render(company: Record, signer: Record, at: int, *, signed: bool) -> bytes:
    """Return an enterprise's letter of an instant (Unix milliseconds) as a PDF, signed or with an empty line for it.

    `signer` has `signer_full_name`, `signer_email` and `signer_title`, and for a signature `consent_acknowledged_at`.
    The same letter has the same bytes.
    """
    output = BytesIO()
    letter = SimpleDocTemplate(
        output,
        pagesize=LETTER,
        title=f"{TITLE}: {_line(company['legal_name'])}",
        author=_line(signer["signer_full_name"]),
        subject="signed" if signed else "to be signed",
        creator="revdesk-mock",
        lang="en-US",
        invariant=1,
    )

    def finish(canvas: Canvas, _: BaseDocTemplate) -> None:
        digits = "".join(filter(str.isdigit, iso(at)[:19]))
        canvas.setDateFormatter(lambda *_: f"D:{digits}Z")
        canvas.setFont(ROMAN, 7)
        canvas.setFillColor(GRAY)
        canvas.drawCentredString(LETTER[0] / 2, inch / 2, FOOTER)

    letter.build([*_text(company, at), _signature(signer, at, signed=signed)], finish, finish)
    return output.getvalue()


def _text(company: Record, at: int) -> list[Flowable]:
    """Return the letter down to its signature: heading, date, the company, and what it authorizes."""
    address = company["organization_address"]
    place = f"{address['city']}, {address['administrative_area']} {address['postal_code']}"
    parts = (address["street_address"], address.get("extended_address"), place, address["country"])
    facts = {
        "Legal name": company["legal_name"],
        "Doing business as": company["dba"],
        "Tax number (FEIN)": company["fein"],
        "Address": ", ".join(filter(None, parts)),
        "Website": company["website"],
        "Reference": company["carrier_enterprise_id"],
    }
    name = _markup(company["legal_name"])
    return [
        Paragraph(TITLE, HEADING),
        Paragraph(iso(at)[:10], LABEL),
        HRFlowable(width="100%", color=INK, spaceBefore=10, spaceAfter=14),
        _table({label: _markup(value) for label, value in facts.items()}),
        Spacer(0, 18),
        *(Paragraph(text.format(company=name), PROSE) for text in BODY.split("\n\n")),
    ]


def _signature(signer: Record, at: int, *, signed: bool) -> Flowable:
    """Return the block that is signed, with lines where a pen would write."""
    name = _markup(signer["signer_full_name"])
    rows = {
        "Signature": f'<font name="{ITALIC}" size="15">{name}</font>' if signed else "",
        "Name": name,
        "Title": _markup(signer["signer_title"]),
        "E-mail": _markup(signer["signer_email"]),
        "Date": iso(at)[:10] if signed else "",
    }
    block = [Spacer(0, 18), _table(rows, lines=("Signature", "Date"))]
    if signed:
        told = f"Signed electronically at {iso(at)}; consent acknowledged at {signer['consent_acknowledged_at']}."
        block += [Spacer(0, 10), Paragraph(_markup(told), SMALL)]
    return KeepTogether(block)


def _table(rows: Mapping[str, str], lines: Iterable[str] = ()) -> Flowable:
    """Return a table of labels and markup; what `lines` names has room for a pen, and a line under it."""
    style = TableStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "BOTTOM")])
    for row in map(list(rows).index, lines):
        style.add("LINEBELOW", (1, row), (1, row), 0.7, INK)
        style.add("TOPPADDING", (0, row), (-1, row), 16)
        style.add("BOTTOMPADDING", (0, row), (-1, row), 6)
    cells = [[Paragraph(label, LABEL), Paragraph(markup, PLAIN)] for label, markup in rows.items()]
    return Table(cells, colWidths=WIDTHS, style=style)


def _line(text: str) -> str:
    """Return a text on one line, without what cannot be printed."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _markup(text: str) -> str:
    """Return a value as markup: a line that is not too long, in a font that has its letters."""
    line = _line(text)
    if len(line) > LONGEST:
        line = f"{line[: LONGEST - 1]}…"
    if EMBEDDED.issuperset(map(ord, line)):
        return escape(line)
    return f'<font name="{OTHER_SCRIPTS}">{escape(line)}</font>'
