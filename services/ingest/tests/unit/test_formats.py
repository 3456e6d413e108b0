"""Every format becomes text with titles, headings, pages and rows. The files are made here, by real writers."""

import io

import docx
import pptx
import pytest
from ingest.parsers.formats import parse
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen import canvas


def parsed(key: str, data: bytes | str):
    return parse(key, data.encode() if isinstance(data, str) else data, lambda: None)


def blocks_of(document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


class TestPlainText:
    def test_a_short_line_that_stands_alone_is_a_heading(self):
        document = parsed("a.txt", "Glossary\n\nChart\n\nA package of Helm.\nIt has templates.\n\n- one\n- two\n")
        assert document.title == "Glossary"
        assert blocks_of(document)[2:] == [
            ("paragraph", "A package of Helm.\nIt has templates."),
            ("item", "- one"),
            ("item", "- two"),
        ]
        assert document.blocks[2].path == ("Glossary", "Chart")

    @pytest.mark.parametrize("text", ["It ends with a stop.\n\nmore", "lower case\n\nmore", "    indented\n\nmore"])
    def test_other_lines_are_paragraphs(self, text):
        assert parsed("my-notes.txt", text).title == "my notes"


class TestHtml:
    PAGE = """<!doctype html><html><head><title>The  Title</title><style>p{}</style></head><body>
    <nav><a href=/>Home</a></nav><h1>Top ¶</h1><p>One <b>bold</b>
    line<br>and on.</p><script>alert(1)</script><h2>Steps</h2>
    <ol><li>First<ul><li>inner</li></ul></li><li>Second</li></ol>
    <pre><code>a:\n  - b</code></pre><table><tr><th>Flag</th><th>Use</th></tr><tr><td>-v</td><td>talk</td></tr></table>
    <footer>imprint</footer></body></html>"""

    def test_words_are_kept_and_furniture_is_dropped(self):
        document = parsed("a.html", self.PAGE)
        assert document.title == "The Title"
        assert blocks_of(document) == [
            ("heading", "Top"),
            ("paragraph", "One bold line and on."),
            ("heading", "Steps"),
            ("item", "1. First"),
            ("item", "- inner"),
            ("item", "2. Second"),
            ("code", "a:\n  - b"),
            ("row", "Flag | Use"),
            ("row", "-v | talk"),
        ]
        assert document.blocks[-1].context == "Flag | Use"
        assert document.blocks[-1].path == ("Top", "Steps")

    def test_only_the_main_part_is_read_when_one_is_marked(self):
        page = f"<body><div>menu</div><main><p>{'word ' * 30}</p></main><div>advert</div></body>"
        assert "menu" not in parsed("a.html", page).text

    def test_a_stated_encoding_is_believed(self):
        page = '<html><head><meta charset="windows-1252"></head><body><p>Grüße – schön</p></body></html>'
        assert parsed("a.htm", page.encode("windows-1252")).text == "Grüße – schön"


class TestPdf:
    @staticmethod
    def pdf(*pages: list[str], title: str = "", outline: bool = False) -> bytes:
        out = io.BytesIO()
        paper = canvas.Canvas(out)
        if title:
            paper.setTitle(title)
        for number, lines in enumerate(pages):
            if outline:
                paper.bookmarkPage(f"p{number}")
                paper.addOutlineEntry(lines[0], f"p{number}", level=0)
            for at, line in enumerate(lines):
                paper.drawString(50, 800 - 14 * at, line)
            paper.showPage()
        paper.save()
        return out.getvalue()

    def test_pages_are_kept(self):
        document = parsed("a.pdf", self.pdf(["First page here."], ["Second page there."]))
        assert [(b.page, document.text[b.start : b.end]) for b in document.blocks] == [
            (1, "First page here."),
            (2, "Second page there."),
        ]

    def test_the_text_is_what_pypdf_extracts(self):
        data = self.pdf(["One line of text", "goes on in the next."], ["Two."])
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
        assert parsed("a.pdf", data).text == "\n\n".join(pages)

    def test_the_outline_tells_headings_and_the_metadata_the_title(self):
        data = self.pdf(["Overview", "Text of it."], ["Limits", "More text."], title="Manual", outline=True)
        document = parsed("a.pdf", data)
        assert document.title == "Manual"
        assert [b.path for b in document.blocks if b.kind == "paragraph"] == [("Overview",), ("Limits",)]

    def test_page_numbers_and_lost_bullets_are_no_paragraphs(self):
        data = self.pdf(["A paragraph that is long enough.", "•", "7"])
        assert blocks_of(parsed("a.pdf", data)) == [("paragraph", "A paragraph that is long enough.")]

    @pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
    def test_an_empty_password_is_no_obstacle(self, algorithm):
        writer = PdfWriter(clone_from=io.BytesIO(self.pdf(["Open to everybody."])))
        writer.encrypt("", "owner", algorithm=algorithm)
        out = io.BytesIO()
        writer.write(out)
        assert parsed("a.pdf", out.getvalue()).text.strip() == "Open to everybody."


class TestDocx:
    def test_headings_paragraphs_lists_and_tables_come_in_order(self):
        word = docx.Document()
        word.core_properties.title = "Handbook"
        word.add_heading("Start", 1)
        word.add_paragraph("Before the table.")
        table = word.add_table(rows=2, cols=2)
        for at, text in enumerate(["Flag", "Use", "-v", "talk"]):
            table.cell(at // 2, at % 2).text = text
        word.add_heading("Details", 2)
        word.add_paragraph("An item", style="List Bullet")
        document = parsed("a.docx", saved(word))
        assert document.title == "Handbook"
        assert blocks_of(document) == [
            ("heading", "Start"),
            ("paragraph", "Before the table."),
            ("row", "Flag | Use"),
            ("row", "-v | talk"),
            ("heading", "Details"),
            ("item", "- An item"),
        ]
        assert document.blocks[-1].path == ("Start", "Details")

    def test_a_merged_cell_is_read_once(self):
        word = docx.Document()
        table = word.add_table(rows=1, cols=3)
        table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
        table.cell(0, 2).text = "narrow"
        assert parsed("a.docx", saved(word)).text == "wide | narrow"


class TestPptx:
    def test_a_slide_is_a_page_and_its_title_a_heading(self):
        deck = pptx.Presentation()
        for number in (1, 2):
            slide = deck.slides.add_slide(deck.slide_layouts[1])
            slide.shapes.title.text = f"Slide title {number}"
            slide.placeholders[1].text_frame.text = f"Point {number}a"
            slide.placeholders[1].text_frame.add_paragraph().text = f"Point {number}b"
        slide.notes_slide.notes_text_frame.text = "What the speaker says."
        document = parsed("a.pptx", saved(deck))
        assert document.title == "Slide title 1"
        assert [(b.page, b.path, document.text[b.start : b.end]) for b in document.blocks if b.kind != "heading"] == [
            (1, ("Slide title 1",), "- Point 1a"),
            (1, ("Slide title 1",), "- Point 1b"),
            (2, ("Slide title 2",), "- Point 2a"),
            (2, ("Slide title 2",), "- Point 2b"),
            (2, ("Slide title 2",), "What the speaker says."),
        ]


class TestCsv:
    def test_a_row_is_a_block_below_the_header_row(self):
        document = parsed("metrics.csv", 'name,help\nup,"is it, up?"\ndown,"two\nlines"\n')
        assert document.title == "metrics"
        assert [(b.path, document.text[b.start : b.end]) for b in document.blocks] == [
            (("name,help",), "name,help"),
            (("name,help",), 'up,"is it, up?"'),
            (("name,help",), 'down,"two\nlines"'),
        ]

    def test_other_delimiters_are_found_out(self):
        assert len(parsed("a.tsv", "a\tb\n1\t2\n3\t4\n").blocks) == 3
        assert parsed("a.csv", "name;size\nx;1\ny;2\n").blocks[1].path == ("name;size",)

    def test_data_without_header_has_none(self):
        assert parsed("a.csv", "1,2\n3,4\n5,6\n").blocks[0].path == ()


class TestJson:
    def test_a_small_file_is_one_block(self):
        text = '{"name": "nexus", "port": 8080}'
        assert blocks_of(parsed("a.json", text)) == [("row", text)]

    def test_a_large_one_is_cut_at_its_members_with_their_keys_as_headings(self):
        text = '{"server": {"a": "' + "x " * 400 + '", "b": 1}, "client": {"c": 2}}'
        document = parsed("a.json", text)
        assert [(b.path, document.text[b.start : b.end][:8]) for b in document.blocks] == [
            (("server",), '"a": "x '),
            (("server",), '"b": 1'),
            ((), '"client"'),
        ]

    def test_lines_of_json_are_rows(self):
        assert len(parsed("a.jsonl", '{"a": 1}\n\n{"b": 2}\n').blocks) == 2


def saved(document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
