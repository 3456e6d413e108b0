"""A small library in all eight formats, written here so that every answer is known. Everything in it is made up."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from docx import Document
from pptx import Presentation
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

HOLIDAYS = """# Holidays

Everyone at Halvorsen Marine has a right to 27 days of paid holiday a year. Part-time staff get the same share of it
as of their working week.

## Carrying days over

Up to five unused days may be carried over. They expire on 31 March of the following year.

## Sabbaticals

After six years of service an employee may take an unpaid sabbatical of at most four months. It has to be agreed with
the head of the department at least half a year before it begins.
"""

RESET = """# Resetting the Otter 3 pump controller

The Otter 3 is the controller of all bilge pumps built after 2019.

## How to reset the controller

Do this only when the pump stands still:

1. Switch off the main breaker.
2. Hold the blue button for eight seconds.
3. Switch the main breaker on while the button is still held.
4. Release the button when the lamp turns green.

## Reading the error log

To print the last errors, run this on the service laptop:

```sh
otterctl log --last 20 --port /dev/ttyUSB0
```

The log holds at most 500 entries.
"""

NOTICE = """NOTICE PERIODS

During the probation period either side may end the contract with a notice of two weeks.

After the probation period the notice period is six weeks to the end of a month.

Notice has to be given in writing; an e-mail is not enough.
"""

EXPENSES = """<!doctype html>
<html><head><title>Travel expenses</title><style>body { color: #222 }</style></head>
<body><nav><a href="/">Home</a></nav>
<h1>Travel expenses</h1>
<p>The daily allowance for trips within the country is 32 euros.</p>
<h2>Receipts</h2>
<p>Receipts must be handed in within 45 days after the end of the trip, later ones are not refunded.</p>
<h2>Trains</h2><p>First class may be booked for journeys of more than <b>three hours</b>.</p>
<script>window.alert("not part of the document")</script>
</body></html>
"""

PUMP_PAGES: Sequence[tuple[str, str]] = (
    ("Otter 3 data sheet", "The Otter 3 controller drives up to four bilge pumps on a supply of 24 volts."),
    ("Limits", "The housing of the controller withstands a pressure of 6 bar and a cold of minus 20 degrees."),
    ("Maintenance", "The seals of the controller have to be replaced every 900 operating hours."),
)

WARRANTY: Sequence[tuple[str, str]] = (
    ("Warranty", "The warranty of the Otter 3 covers material and workmanship for 36 months from delivery."),
    ("Exclusions", "Damage caused by salt water in an opened housing is excluded from the warranty."),
)

ROADMAP: Sequence[tuple[str, str]] = (
    ("Product roadmap", "Halvorsen Marine presents its plans for the coming years."),
    ("Otter 4", "The Otter 4 controller will be launched in September 2028 at the boat fair in Hamburg."),
    ("Retirement", "Sales of the Otter 2 end in June 2027."),
)

PRICES: Sequence[Mapping[str, str]] = (
    {"part": "HM-100", "name": "Otter 3 controller", "price": "1,240 EUR", "delivery": "5 days"},
    {"part": "HM-117", "name": "Seal kit", "price": "38 EUR", "delivery": "2 days"},
    {"part": "HM-230", "name": "Float switch", "price": "64 EUR", "delivery": "3 days"},
)

SENSORS = {
    "title": "Sensors of the test tank",
    "sensors": [
        {"id": "tank-a", "kind": "salinity probe", "interval": "15 minutes", "owner": "the laboratory"},
        {"id": "tank-b", "kind": "level gauge", "interval": "30 seconds", "owner": "the pump team"},
    ],
}

OFFICE = """# The office in Bergen

The office is open from 7:30 to 18:00 on working days. The door code changes on the first Monday of every month.

Visitors have to be registered at the reception, which is run by Solveig Aasen. Bicycles are parked in the yard.
"""


@dataclass(frozen=True)
class Fact:
    """A question about the library with a word the answer must hold, and where it stands."""

    question: str
    words: str
    document: str
    page: int | None = None


FACTS: Sequence[Fact] = (
    Fact("How many days of paid holiday does everyone at Halvorsen Marine have?", "27", "staff/holidays.md"),
    Fact("How long is the notice period after the probation period?", "six weeks", "staff/notice.txt"),
    Fact("How much is the daily allowance for trips within the country?", "32", "staff/expenses.html"),
    Fact("How often do the seals of the Otter 3 have to be replaced?", "900", "otter/data-sheet.pdf", page=3),
    Fact("How long is the warranty of the Otter 3?", "36 months", "otter/warranty.docx"),
    Fact("When will the Otter 4 be launched?", "September 2028", "otter/roadmap.pptx", page=2),
    Fact("What is the price of the seal kit HM-117?", "38", "otter/prices.csv"),
    Fact("What is the interval of the salinity probe?", "15 minutes", "otter/sensors.json"),
)


@cache
def library() -> Mapping[str, bytes]:
    """All documents by key: two Markdown files, one of every other format."""
    return {
        "staff/holidays.md": HOLIDAYS.encode(),
        "staff/notice.txt": NOTICE.encode(),
        "staff/expenses.html": EXPENSES.encode(),
        "staff/office.md": OFFICE.encode(),
        "otter/reset.md": RESET.encode(),
        "otter/data-sheet.pdf": pdf(PUMP_PAGES),
        "otter/warranty.docx": docx(WARRANTY),
        "otter/roadmap.pptx": pptx(ROADMAP),
        "otter/prices.csv": table(PRICES),
        "otter/sensors.json": json.dumps(SENSORS, indent=2).encode(),
    }


def plain_text(key: str) -> str:
    """What a person reads in the document `key`, for checking that a quote is in it."""
    sections = {"otter/data-sheet.pdf": PUMP_PAGES, "otter/warranty.docx": WARRANTY, "otter/roadmap.pptx": ROADMAP}
    if key in sections:
        return "\n".join(part for section in sections[key] for part in section)
    text = library()[key].decode()
    return re.sub(r"<[^>]*>", " ", text) if key.endswith(".html") else text


def pdf(pages: Sequence[tuple[str, str]]) -> bytes:
    """A PDF with one page for each heading and text."""
    style, file = getSampleStyleSheet(), io.BytesIO()
    story = []
    for heading, text in pages:
        story += [Paragraph(heading, style["Heading1"]), Paragraph(text, style["BodyText"]), PageBreak()]
    SimpleDocTemplate(file, pagesize=A4, title=pages[0][0], invariant=1).build(story)
    return file.getvalue()


def long_pdf(pages: int) -> bytes:
    """A PDF with `pages` full pages of different text."""
    return pdf([(f"Chapter {number}", " ".join(sentences(number, 22))) for number in range(1, pages + 1)])


def docx(sections: Sequence[tuple[str, str]]) -> bytes:
    """A Word file."""
    document, file = Document(), io.BytesIO()
    for heading, text in sections:
        document.add_heading(heading, level=1)
        document.add_paragraph(text)
    document.save(file)
    return file.getvalue()


def pptx(slides: Sequence[tuple[str, str]]) -> bytes:
    """A PowerPoint file."""
    presentation, file = Presentation(), io.BytesIO()
    for heading, text in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = heading
        slide.placeholders[1].text = text
    presentation.save(file)
    return file.getvalue()


def table(rows: Sequence[Mapping[str, str]]) -> bytes:
    """A CSV file."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


_PARTS = "valve rotor gasket nozzle bearing coupling impeller strainer manifold actuator".split()
_PLACES = "engine room|forward locker|wheelhouse|aft deck|cargo hold|chain locker|galley|pump room".split("|")
_DUTIES = "inspected cleaned replaced greased tested tightened calibrated drained".split()


def sentences(seed: int, count: int) -> list[str]:
    """Sentences about ships that are never the same for two seeds."""
    return [
        f"The {_PARTS[(seed * 7 + n) % 10]} number {seed}-{n} in the {_PLACES[(seed + n * 3) % 8]} has to be "
        f"{_DUTIES[(seed * 3 + n) % 8]} every {10 + (seed * 31 + n * 17) % 790} hours by the engineer on watch."
        for n in range(count)
    ]


def long_document(seed: int, sections: int) -> str:
    """A Markdown document of about `sections` chunks."""
    parts = (f"## Section {n}\n\n{' '.join(sentences(seed * 1000 + n, 6))}\n" for n in range(sections))
    return f"# Maintenance book {seed}\n\n" + "\n".join(parts)
