"""The chatbot in a real browser, as a person uses it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.clients import Nexus
from tests.e2e.library import HOLIDAYS
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
PATIENCE_MS = 20_000
HARMLESS = re.compile(r"favicon|404")
"""Streamlit asks beside a page's own address for files that lie at the root."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; make setup installs it")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(params=[LAPTOP, PHONE], ids=["laptop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Iterator[Page]:
    """The chat page on a screen; errors in the browser's console fail the test."""
    context = browser.new_context(viewport=request.param)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(stack.env["NEXUS_UI_URL"])
    yield tab
    too_wide = tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not too_wide, "nothing scrolls sideways"
    assert [error for error in errors if not HARMLESS.search(error)] == []
    context.close()


def choose(page: Page, base: str) -> None:
    box = page.get_by_role("combobox", name="Knowledge base")
    box.click()
    box.fill(base)  # a long list shows its first entries only, and narrows while one types
    page.get_by_role("option", name=base).click()


def ask(page: Page, question: str) -> None:
    box = page.get_by_label("Ask a question about your documents")
    box.fill(question)
    box.press("Enter")


def vote(page: Page, thumb: str) -> None:
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()  # a click while it draws is lost
    # Not with the mouse: what opens above moves the thumbs while it aims.
    page.get_by_role("radio", name=thumb).dispatch_event("click")


def test_a_question_is_answered_with_a_source_that_opens_to_the_marked_passage(page: Page, shelf: Nexus) -> None:
    choose(page, shelf.base)
    ask(page, "How long is the warranty of the Otter 3?")
    expect(page.get_by_text(re.compile("Source"))).to_be_visible()
    page.locator('[class*="st-key-source-"] summary').first.click()
    mark = page.locator("blockquote.passage mark").first
    expect(mark).to_be_visible()
    answer = shelf.ask("How long is the warranty of the Otter 3?")
    assert "".join(mark.inner_text().split()) == "".join(answer.citations[0]["quote"].split())
    vote(page, "Thumbs up")
    expect(page.get_by_text("Thank you. Anything to add?")).to_be_visible()
    vote(page, "Thumbs down")
    page.get_by_label("The right answer (optional)").fill("Five years, since May.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Thank you, that is kept")).to_be_visible()


def test_what_the_documents_do_not_say_is_said_with_what_to_do(page: Page, shelf: Nexus) -> None:
    choose(page, shelf.base)
    ask(page, "What is the capital of Mongolia?")
    expect(page.get_by_text(re.compile("Nothing in the documents of"))).to_be_visible()


def test_a_document_is_uploaded_watched_until_it_is_indexed_asked_about_and_deleted(
    page: Page, desk: Nexus, tmp_path: Path
) -> None:
    desk.add("first.md", HOLIDAYS)  # a knowledge base comes to be with its first document
    page.reload()
    page.get_by_role("link", name="Documents").click()
    choose(page, desk.base)
    file = tmp_path / "lighthouse.md"
    file.write_text("# Lighthouses\n\nThe lighthouse of Vardo shines 21 nautical miles far.\n")
    page.locator("input[type=file]").set_input_files(file)
    row = page.locator('[class*="st-key-document-row-"]', has_text="lighthouse.md")
    expect(row.get_by_text("Indexed")).to_be_visible()
    assert "21" in desk.ask("How far does the lighthouse of Vardo shine?").text
    page.get_by_role("button", name="Delete lighthouse.md").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    desk.wait_for("lighthouse.md", "deleted")


def test_the_status_page_shows_every_service(page: Page, stack: Stack) -> None:
    page.get_by_role("link", name="Status").click()
    for service in ("gateway", "rag", "ingest", "trainer", "alert-bridge"):
        expect(page.locator(f".st-key-service-{service}").get_by_text("Ready")).to_be_visible()
