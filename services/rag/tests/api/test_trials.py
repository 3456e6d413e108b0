"""Settings that are tried before anybody is answered with them."""

import pytest
from opskit.contracts.releases import ReleaseBundle
from opskit.contracts.trials import TrialAnswer
from opskit.errors import Unavailable

QUESTION = "How often does Argo CD check Git?"
PASSAGE = {"number": 1, "document": "gold", "title": "", "text": "By default it is every 3 minutes."}


def bundle_of(world, **changes) -> ReleaseBundle:
    """A release that does not serve, with some settings changed."""
    settings = world.release.model_dump(mode="json")
    for section, values in changes.items():
        settings[section].update(values)
    return ReleaseBundle(
        release="rel_candidate", reader_model="reader_a", reader_digest="a", engine="extractive", settings=settings
    )


def trial(world, bundle: ReleaseBundle | None = None, **changes) -> dict:
    bundle = bundle or bundle_of(world)
    return {"release": bundle.model_dump(mode="json"), "question": QUESTION, "knowledge_base": "default", **changes}


class TestTrials:
    URL = "/internal/trials"

    async def tried(self, world, **changes) -> TrialAnswer:
        async with world.client() as client:
            response = await client.post(self.URL, json=trial(world, **changes))
        assert response.status_code == 200, response.text
        return TrialAnswer.model_validate(response.json())

    async def test_it_is_answered_from_what_is_found_and_by_the_releases_reader(self, world):
        answer = await self.tried(world)
        assert (answer.answer, answer.short, answer.abstained) == ("3 minutes. [1]", "3 minutes.", False)
        assert [one.quote for one in answer.citations] == ["every 3 minutes"]
        assert len(answer.passages) == 2
        assert world.reader.models == ["reader_a"]
        assert world.retriever.asked[0][1] == "acme/default"

    async def test_its_own_settings_count(self, world):
        shown = bundle_of(world, retrieval={"passages": 1}, prompt={"instructions": "Rhyme.", "abstain_below": 2.5})
        answer = await self.tried(world, bundle=shown)
        assert len(answer.passages) == 1
        (request,) = world.reader.requests
        assert (request.prompt["instructions"], request.abstain_below) == ("Rhyme.", 2.5)

    async def test_passages_that_are_handed_in_are_read_in_place_of_a_search(self, world):
        world.reader.result = world.said("3 minutes. [1]", world.quoting(1, PASSAGE["text"], "every 3 minutes"))
        answer = await self.tried(world, passages=[PASSAGE] * 20)
        assert world.retriever.asked == []
        assert len(answer.passages) == 20
        assert not answer.abstained

    async def test_an_abstention_has_no_short_form(self, world):
        world.reader.result = world.said("Dunno.", abstained=True)
        answer = await self.tried(world)
        assert (answer.abstained, answer.short) == (True, "")

    async def test_nothing_is_kept_and_no_user_is_counted(self, world, metric):
        await self.tried(world)
        assert world.answers.kept == {}
        assert world.conversations.kept == {}
        for name in ("nexus_answers_total", "nexus_answer_duration_seconds_count", "nexus_generated_tokens_total",
                     "nexus_time_to_first_token_seconds_count", "nexus_groundedness_count"):  # fmt: skip
            assert metric(name) == 0

    async def test_settings_that_are_not_understood_and_other_engines_are_a_400(self, world):
        odd = bundle_of(world, retrieval={"passages": "many"})
        other = bundle_of(world).model_copy(update={"engine": "llama.cpp"})
        async with world.client() as client:
            answers = [await client.post(self.URL, json=trial(world, bundle)) for bundle in (odd, other)]
        assert [one.status_code for one in answers] == [400, 400]
        assert answers[0].json()["error"]["param"] == "retrieval.passages"
        assert "llama.cpp" in answers[1].json()["error"]["message"]

    @pytest.mark.parametrize("changes", [{"question": " "}, {"knowledge_base": "../etc"}, {"release": {}}])
    async def test_bad_input_is_a_400(self, world, changes):
        async with world.client() as client:
            assert (await client.post(self.URL, json=trial(world) | changes)).status_code == 400

    async def test_a_reader_that_is_away_is_a_503(self, world):
        world.reader.fails_after, world.reader.failure = 0, Unavailable("away")
        async with world.client() as client:
            assert (await client.post(self.URL, json=trial(world))).status_code == 503

    async def test_a_stranger_is_turned_away(self, world):
        async with world.client() as client:
            response = await client.post(self.URL, json=trial(world), headers={"authorization": "Bearer nobody"})
        assert response.status_code == 401


class TestChecking:
    URL = "/internal/settings/check"

    async def checked(self, world, settings):
        async with world.client() as client:
            return await client.post(self.URL, json={"settings": settings})

    async def test_good_settings_come_back_as_they_are_understood(self, world):
        settings = world.release.model_dump(mode="json")
        settings["retrieval"]["similar_from"] = 0
        response = await self.checked(world, settings)
        assert response.status_code == 200
        assert response.json()["settings"]["retrieval"]["similar_from"] == 0.0
        assert response.json()["settings"]["prompt"] == settings["prompt"]

    @pytest.mark.parametrize(
        ("section", "name", "value", "what"),
        [
            ("retrieval", "pasages", 3, "there is no such setting"),
            ("retrieval", "passages", "3", "valid integer"),
            ("retrieval", "passages", True, "valid integer"),
            ("retrieval", "dense_weight", 1.5, "less than or equal to 1"),
            ("retrieval", "fusion", "magic", "'convex' or 'rrf'"),
            ("prompt", "wording", {"abstention": "No."}, "Field required"),
            ("prompt", "instructions", "x" * 20_001, "at most 20000 characters"),
        ],
    )
    async def test_what_is_wrong_is_named(self, world, section, name, value, what):
        settings = world.release.model_dump(mode="json")
        settings[section][name] = value
        response = await self.checked(world, settings)
        assert response.status_code == 400
        error = response.json()["error"]
        assert error["param"].startswith(f"{section}.{name}")
        assert what in error["message"]
        assert error["message"].startswith(error["param"])

    async def test_a_stranger_is_turned_away(self, world):
        async with world.client() as client:
            response = await client.post(self.URL, json={"settings": {}}, headers={"authorization": "Bearer nobody"})
        assert response.status_code == 401
