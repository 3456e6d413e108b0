"""Which answer is drafted from the reader's spans, and in what words."""

from collections.abc import Sequence

from nexus_serving.engines.answers import best_draft
from nexus_serving.engines.contract import Passage
from nexus_serving.engines.material import Material
from nexus_serving.engines.spans import Span


def drafted(question: str, *texts: str, seen: dict[str, float], document: str = "a.md", heading: str = "", alike=None):
    materials = [
        Material(Passage(number, text, heading=heading, document=document), number - 1)
        for number, text in enumerate(texts, 1)
    ]
    spans = [
        Span(place, material.reading.text.index(words), material.reading.text.index(words) + len(words), score)
        for words, score in seen.items()
        for place, material in enumerate(materials)
        if words in material.reading.text
    ]
    return best_draft(question, materials, spans, alike)


def words_of(draft) -> str:
    return "".join(draft.pieces)


def test_a_lookup_is_answered_shortly_and_then_quoted():
    text = "Intro. This default interval is calculated as **120 seconds** + up to 60 seconds of jitter."
    draft = drafted("How often does it poll?", text, seen={"120": 3.0})
    assert words_of(draft) == (
        '120 seconds. "Intro. This default interval is calculated as 120 seconds + up to 60 seconds of jitter." [1]'
    )
    assert draft.short == "120 seconds"
    assert draft.support.text == text


def test_code_in_a_sentence_is_shown_as_code():
    draft = drafted(
        "What do I set?", "You can set the `mergeBuiltinActions` key to `true`.", seen={"mergeBuiltin": 2.0}
    )
    assert words_of(draft).startswith("`mergeBuiltinActions`. ")
    assert draft.short == "mergeBuiltinActions"


def test_an_answer_that_is_nearly_the_whole_sentence_is_said_once():
    draft = drafted(
        "What happens then?", "It rolls back to the last release.", seen={"rolls back to the last release": 2.0}
    )
    assert words_of(draft) == "It rolls back to the last release. [1]"


def test_a_how_to_question_gets_the_steps():
    text = "To add a cluster:\n\n1. Log in.\n2. Run `argocd cluster add`.\n3. Check."
    draft = drafted("How do I add a cluster?", "Clusters are nice things.", text, seen={"Log in": 1.0, "nice": 2.0})
    assert words_of(draft) == "To add a cluster:\n\n1. Log in.\n2. Run `argocd cluster add`.\n3. Check.\n\n[2]"
    assert draft.support.text == text


def test_steps_the_reader_did_not_see_are_found_by_what_they_are_about():
    text = "```\nhelm rollback web 3\n```"
    draft = drafted(
        "How do I roll back a release?", text, "Other words.", seen={"Other": -9.0}, heading="Roll back a release"
    )
    assert "helm rollback web 3" in words_of(draft)


def test_a_definition_is_a_whole_sentence():
    text = "It is used. A chart is a package of templates that can be installed. See more."
    draft = drafted("What is a chart?", text, seen={"used": 1.0, "package": 0.0})
    assert words_of(draft) == "A chart is a package of templates that can be installed. [1]"


def test_a_yes_no_question_gets_the_sentence_that_tells():
    draft = drafted("Does it support hooks?", "It supports many hooks by mapping them.", seen={"hooks": 1.0})
    assert words_of(draft) == "It supports many hooks by mapping them. [1]"


def test_the_expected_look_decides_between_close_candidates():
    text = "The upgrade of Dex was long planned.\n\nThe bundled version is 2.45.0 now."
    draft = drafted("Which version is bundled?", text, seen={"Dex": 2.0, "2.45.0": 1.0})
    assert draft.short == "2.45.0"


def test_a_passage_that_lacks_what_the_question_names_loses():
    draft = drafted(
        "What is the timeout of Spinnaker?",
        "The timeout of Argo is 5 minutes.",
        "Spinnaker has a timeout of 9 minutes.",
        seen={"5 minutes": 2.0, "9 minutes": 1.0},
    )
    assert draft.short == "9 minutes"


def test_a_heading_that_asks_is_no_answer():
    text = "# Why is it still red?\n\nBecause the cache is stale."
    draft = drafted("Why is it still red?", text, seen={"still red": 2.0, "the cache is stale": 0.0})
    assert words_of(draft) == "Because the cache is stale. [1]"


def test_a_row_is_quoted_by_its_cells():
    text = "| Flag | Default | Meaning |\n|---|---|---|\n| `--tls` | `1.2` | The least version |"
    draft = drafted("What is the least version?", text, seen={"1.2": 2.0})
    assert words_of(draft) == '`1.2`. "`--tls` | `1.2` | The least version" [1]'


def test_of_two_rows_read_as_one_the_row_that_was_asked_for_wins():
    text = "| Part | Warranty |\n|---|---|\n| Battery | 12 months |\n| Screen | 24 months |"
    draft = drafted("What is the warranty on batteries?", text, seen={"12 months\nScreen, 24 months": 4.0})
    assert words_of(draft) == '12 months. "Battery | 12 months" [1]'


def test_a_line_of_a_data_file_is_quoted_as_it_is():
    draft = drafted("Which metric?", "name,kind\nhttp_total,counter", seen={"http_total": 2.0}, document="m.csv")
    assert words_of(draft) == 'http_total. "http_total,counter" [1]'


def test_nothing_to_read_gives_no_draft():
    assert best_draft("What?", [], []) is None


def test_a_question_for_several_things_gets_the_whole_list():
    text = "A sync has these phases:\n\n- PreSync runs before.\n- Sync applies.\n- PostSync runs after.\n\nOther words."
    draft = drafted("What are the phases of a sync?", text, "Phases pass.", seen={"PreSync": 2.0, "Phases": 1.5})
    assert words_of(draft).startswith("A sync has these phases:\n\n- PreSync runs before.\n- Sync applies.\n- PostSync")
    assert draft.support.text.endswith("PostSync runs after.")


def test_several_things_in_one_sentence_are_answered_shortly():
    text = "Values may be written in YAML, JSON or TOML. Other things are said here."
    draft = drafted("Which formats can values be written in?", text, seen={"YAML, JSON or TOML": 3.0})
    assert words_of(draft).startswith("YAML, JSON or TOML. ")


def test_the_sentence_that_means_what_is_asked_wins_over_a_slightly_better_span():
    texts = ("It waits for 30 seconds.", "Polling happens every 120 seconds.")
    seen = {"30 seconds": 3.0, "120 seconds": 2.5}
    assert drafted("How often does it look?", *texts, seen=seen).short == "30 seconds"

    def alike(question: str, said: Sequence[str]) -> list[float]:
        return [0.7 if "every" in one else 0.3 for one in said]

    assert drafted("How often does it look?", *texts, seen=seen, alike=alike).short == "120 seconds"


def test_another_place_that_is_nearly_as_good_is_quoted_too():
    texts = ("The limit is 5 MB for images.", "Files may have 9 MB.")
    close = drafted("What is the limit?", *texts, seen={"5 MB": 3.0, "9 MB": 2.9})
    assert close.second is not None
    wording, quotation = close.second
    assert wording == '\n\nSee also: "Files may have 9 MB." [2]'
    assert quotation.text == texts[1]
    assert drafted("What is the limit?", *texts, seen={"5 MB": 9.0, "9 MB": 1.0}).second is None


def test_the_same_words_elsewhere_are_not_quoted_twice():
    text = "The limit is 5 MB."
    assert drafted("What is the limit?", text, text, seen={"5 MB": 3.0}).second is None
