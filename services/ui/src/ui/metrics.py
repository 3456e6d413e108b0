"""Every instrument of the chatbot, once. Nothing a person typed is ever a label."""

from prometheus_client import Counter, Histogram

_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60)

QUESTIONS = Counter(
    "nexus_ui_questions",
    "Questions asked here, by how they ended: answered, abstained, stopped or failed.",
    ["outcome"],
)
FIRST_WORDS = Histogram("nexus_ui_first_words_seconds", "From the question to the first words shown.", buckets=_SECONDS)
WHOLE_ANSWER = Histogram("nexus_ui_answer_seconds", "From the question to the end of the answer.", buckets=_SECONDS)
VOTES = Counter("nexus_ui_votes", "Votes given here; a changed vote counts again.", ["rating"])
UPLOADS = Counter("nexus_ui_uploads", "Files sent in from here.", ["outcome"])
CALLS = Histogram("nexus_ui_gateway_call_seconds", "Calls to the gateway.", ["operation", "outcome"], buckets=_SECONDS)
PAGE_ERRORS = Counter("nexus_ui_page_errors", "Pages that failed with an error nobody expected.")
