"""The Chat page, run by Streamlit's AppTest against a gateway in memory."""

import pytest
from streamlit.testing.v1 import AppTest
from ui.errors import Busy, Interrupted, KeyRefused, Unreachable
from ui.models import Delta, Finished


def texts(app: AppTest) -> str:
    """Everything written on the page."""
    pieces = [*app.markdown, *app.caption, *app.text, *app.title, *app.get("html")]
    return "\n".join(str(piece.value if hasattr(piece, "value") else piece.proto.body) for piece in pieces)


def ask(app: AppTest, question: str = "How long are samples kept?") -> AppTest:
    app.chat_input[0].set_value(question).run()
    assert not app.exception
    return app


def open_source(app: AppTest) -> AppTest:
    app.session_state[source_key(app)] = True
    return app.run()


def source_key(app: AppTest) -> str:
    number = app.session_state["conversation"].turns[-1].number
    return f"source-{number}-0"


class TestWelcome:
    def test_an_empty_knowledge_base_leads_to_the_upload(self, open_page, gateway):
        gateway.stored = {"default": {}}
        app = open_page()
        assert "There is nothing in **default** yet" in texts(app)
        app.button("add-documents").click().run()
        assert app.title[0].value == "Documents"

    def test_suggests_questions_that_the_documents_answer_and_asks_the_one_chosen(self, open_page, gateway):
        hit = gateway.hits[0].model_copy(update={"text": "To change the retention of samples, set a flag."})
        gateway.hits = [hit]
        app = open_page()
        assert app.button("suggestion-0").label == "How do I change the retention of samples?"
        app.button("suggestion-0").click().run()
        assert gateway.asked[0]["question"] == "How do I change the retention of samples?"

    def test_says_what_to_do_when_the_gateway_is_down(self, open_page, gateway):
        gateway.broken["knowledge_bases"] = Unreachable("Nobody answers at the gateway's address.")
        assert "`make up` starts it" in texts(open_page())


class TestAnswer:
    def test_shows_the_question_the_words_the_source_and_the_release(self, open_page, gateway):
        app = ask(open_page())
        shown = texts(app)
        assert "How long are samples kept?" in shown
        assert '15 days. "The default retention is 15 days." :primary-badge[1]' in shown
        assert "rel\\_1" in shown
        assert "Storage" in app.expander[0].label
        assert "prometheus/storage.md · page 3" in app.expander[0].label
        assert [message.name for message in app.chat_message] == ["user", "assistant"]

    def test_a_source_opens_to_its_passage_with_the_quote_marked(self, open_page):
        app = ask(open_page())
        assert "<mark>" not in texts(app)
        open_source(app)
        marked = "Some words before. <mark>The default retention is 15 days.</mark> Some words after."
        assert marked in texts(app)

    def test_a_passage_is_shown_as_text_whatever_it_holds(self, open_page, gateway):
        evil = "<img src=x onerror=alert(1)> The default retention is 15 days."
        gateway.hits = [gateway.hits[0].model_copy(update={"text": evil})]
        app = open_source(ask(open_page()))
        assert "&lt;img src=x onerror=alert(1)&gt; <mark>" in texts(app)

    def test_the_quote_alone_is_shown_when_its_passage_cannot_be_found_again(self, open_page, gateway):
        gateway.hits = []
        shown = texts(open_source(ask(open_page())))
        assert 'class="passage"><mark>The default retention is 15 days.</mark><' in shown

    def test_the_next_question_continues_the_conversation_and_a_new_one_does_not(self, open_page, gateway):
        app = ask(ask(open_page()), "And before that?")
        assert [asked["conversation"] for asked in gateway.asked] == [None, "conv_1"]
        app.button("new-conversation").click().run()
        assert not app.chat_message
        ask(app)
        assert gateway.asked[-1]["conversation"] is None

    def test_another_knowledge_base_is_asked_when_chosen(self, open_page, gateway):
        gateway.hold("a.md", base="handbook")
        app = open_page()
        app.selectbox("chat-knowledge-base").set_value("handbook").run()
        ask(app)
        assert gateway.asked[0]["base"] == "handbook"

    def test_an_abstention_is_calm_and_offers_to_add_a_document(self, open_page, gateway):
        gateway.answers = [(Delta("The documents do not say."), Finished("ans_2", abstained=True))]
        app = ask(open_page())
        assert "Nothing in the documents of **default** answers this" in texts(app)
        assert not app.expander
        assert not app.error
        assert not app.warning

    def test_what_a_document_smuggles_into_an_answer_does_nothing(self, open_page, gateway):
        gateway.answers = [(Delta("![x](https://evil.invalid/x.png) <script>"), Finished("ans_3"))]
        shown = texts(ask(open_page()))
        assert "![x]" not in shown
        assert "<script>" not in shown


class TestWhenItFails:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (Unreachable("Nobody answers."), "The platform is not reachable"),
            (KeyRefused("no"), "The key was refused"),
            (Busy("Too many questions.", retry_after=3), "Try again in 3 seconds."),
        ],
    )
    def test_says_in_words_what_went_wrong(self, open_page, gateway, error, said):
        gateway.broken["ask"] = error
        assert said in texts(ask(open_page()))

    def test_a_broken_stream_keeps_what_came_and_can_be_asked_again(self, open_page, gateway):
        gateway.answers = [(Delta("15 da"), Interrupted("The reader went away."))]
        app = ask(open_page())
        assert "15 da" in texts(app)
        assert "The answer broke off" in texts(app)
        again = next(button for button in app.button if button.label == "Ask again")
        again.click().run()
        assert [asked["question"] for asked in gateway.asked] == ["How long are samples kept?"] * 2
        assert "The answer broke off" not in texts(app)


class TestVote:
    def vote(self, app: AppTest, thumb: int) -> AppTest:
        number = app.session_state["conversation"].turns[-1].number
        app.feedback(f"vote-{number}").set_value(thumb).run()
        assert not app.exception
        return app

    def test_a_thumb_is_sent_with_the_answers_id_and_may_change(self, open_page, gateway):
        self.vote(self.vote(ask(open_page()), 1), 0)
        assert [(vote["answer"], vote["rating"]) for vote in gateway.votes] == [("ans_1", "up"), ("ans_1", "down")]

    def test_a_correction_goes_with_the_vote(self, open_page, gateway):
        app = self.vote(ask(open_page()), 0)
        app.text_area[0].set_value("It is 30 days here.")
        app.text_input[0].set_value("old page")
        next(button for button in app.button if button.label == "Send").click().run()
        assert gateway.votes[-1] == {
            "answer": "ans_1",
            "rating": "down",
            "comment": "old page",
            "correction": "It is 30 days here.",
        }
        assert "Thank you, that is kept" in texts(app)

    def test_a_vote_that_does_not_arrive_is_not_shown_as_given(self, open_page, gateway):
        app = ask(open_page())
        gateway.broken["vote"] = Unreachable("Nobody answers.")
        self.vote(app, 1)
        assert "not reachable" in texts(app)
        assert app.session_state["conversation"].turns[-1].rating is None
