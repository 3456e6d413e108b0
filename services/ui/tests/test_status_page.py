"""The Status page, run by Streamlit's AppTest against a gateway in memory."""

from streamlit.testing.v1 import AppTest
from ui.errors import ScopeMissing
from ui.models import DeadLetter, ServiceState, StackState


def shown(app: AppTest) -> str:
    return "\n".join(str(piece.value) for piece in (*app.markdown, *app.caption))


def test_names_every_service_and_what_is_wrong_with_it(open_page, gateway):
    gateway.state = StackState(
        status="unavailable",
        services={
            "gateway": ServiceState(status="ready", checks={"redis": "ok"}),
            "rag": ServiceState(status="ready", checks={"milvus": "ok", "triton": "ok"}),
            "ingest": ServiceState(status="unavailable", checks={"milvus": "no answer within 2 s", "store": "ok"}),
        },
    )
    page = shown(open_page("status"))
    assert "A part is down." in page
    assert "milvus, triton" in page
    assert ":red[:material/close: milvus] no answer within 2 s" in page
    assert ":red-badge[:material/error: Unavailable]" in page


def test_counts_documents_by_status(open_page, gateway):
    gateway.hold("a.md", status="failed")
    gateway.hold("b.md", status="indexing")
    page = shown(open_page("status"))
    assert ":green-badge[1 indexed]" in page
    assert ":red-badge[1 failed]" in page
    assert ":blue-badge[1 in progress]" in page


def test_a_dead_letter_shows_its_reason_and_can_be_tried_again(open_page, gateway):
    gateway.letters = [DeadLetter(id="d1", document="bad.pdf", reason="The PDF is broken.")]
    app = open_page("status")
    assert "The PDF is broken." in shown(app)
    app.button("replay-d1").click().run()
    assert gateway.replayed == ["d1"]
    assert "None. A document that fails three times" in shown(app)


def test_says_it_when_the_key_may_not_see_the_state(open_page, gateway):
    refusal = ScopeMissing("This needs a key with the scope admin.")
    gateway.broken = {"status": refusal, "dead_letters": refusal}
    assert "This needs a key with the scope admin." in shown(open_page("status"))


def test_links_to_the_tools_that_are_known_and_no_others(open_page):
    links = {link.label: link.url for link in open_page("status").get("link_button")}
    assert links["Prometheus"] == "http://127.0.0.1:9090/"
    assert "MLflow" not in links


def test_links_to_where_browsers_find_a_tool_rather_than_to_where_the_chatbot_asks_it(open_page, monkeypatch):
    monkeypatch.setenv("NEXUS_URL", "http://gateway:8080")
    monkeypatch.setenv("NEXUS_GATEWAY_LINK", "https://nexus.example/")
    monkeypatch.setenv("NEXUS_PROMETHEUS_LINK", "http://127.0.0.1:19090")
    monkeypatch.setenv("NEXUS_ALERTMANAGER_URL", "http://alertmanager:9093")
    monkeypatch.setenv("NEXUS_MLFLOW_LINK", "http://127.0.0.1:5000")
    monkeypatch.setenv("NEXUS_GRAFANA_LINK", "http://127.0.0.1:3000")
    links = {link.label: link.url for link in open_page("status").get("link_button")}
    assert links == {
        "API reference": "https://nexus.example/docs",
        "Grafana": "http://127.0.0.1:3000/",
        "Prometheus": "http://127.0.0.1:19090/",
        "Alertmanager": "http://alertmanager:9093/",
        "MLflow": "http://127.0.0.1:5000/",
    }
