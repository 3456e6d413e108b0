"""Which release answers a conversation, and who steps in."""

from dataclasses import replace

import pytest
from opskit.contracts.releases import ReleaseBundle, ServingTable
from opskit.errors import Unavailable
from rag.errors import Busy
from rag.serving import in_canary
from rag.slots import ReaderSlots

QUESTION = "How often does Argo CD check Git?"


@pytest.fixture
def bundle(release):
    """A release like the first one, with another abstention."""

    def made(name: str, **changes: object) -> ReleaseBundle:
        settings = release.model_dump(mode="json")
        settings["prompt"]["wording"]["abstention"] = f"{name} does not know."
        values = {
            "release": f"rel_{name}",
            "reader_model": f"reader_{name}",
            "reader_digest": name,
            "engine": "extractive",
            "settings": settings,
            **changes,
        }
        return ReleaseBundle.model_validate(values)

    return made


class TestTheCanary:
    def test_a_conversation_always_gets_the_same_answerer(self):
        assert len({in_canary("conv_7", "rel_new", 0.5) for _ in range(10)}) == 1

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
    def test_about_the_share_of_conversations_goes_to_the_challenger(self, share):
        gone = sum(in_canary(f"conv_{number}", "rel_new", share) for number in range(4000))
        assert gone / 4000 == pytest.approx(share, abs=0.03)

    def test_a_larger_share_keeps_those_who_had_it(self):
        before = {number for number in range(500) if in_canary(f"conv_{number}", "rel_new", 0.1)}
        after = {number for number in range(500) if in_canary(f"conv_{number}", "rel_new", 0.3)}
        assert before < after

    def test_the_next_challenger_gets_other_conversations(self):
        one, other = ([in_canary(f"conv_{number}", name, 0.5) for number in range(200)] for name in ("rel_a", "rel_b"))
        assert one != other


class TestWhoAnswers:
    async def test_without_a_champion_the_first_release_does(self, world):
        _, finished = await world.ask(QUESTION)
        assert finished.record.release == world.release.id_with(world.models.served)
        assert world.reader.models == ["reader"]

    async def test_a_champion_answers_with_its_own_model_and_settings(self, world, bundle):
        world.table = ServingTable(champion=bundle("better"))
        world.reader.result = world.said("Dunno.", abstained=True)
        _, finished = await world.ask(QUESTION)
        assert finished.record.release == "rel_better"
        assert finished.record.answer == "better does not know."
        assert world.reader.models == ["reader_better"]

    async def test_a_challenger_answers_its_share_and_nobody_elses(self, world, bundle):
        world.table = ServingTable(champion=bundle("old"), challenger=bundle("new"), share=0.5)
        names = {number: (await world.ask(QUESTION, conversation_id=f"conv_{number}"))[1].record.release
                 for number in range(20)}  # fmt: skip
        for number, release in names.items():
            assert release == ("rel_new" if in_canary(f"conv_{number}", "rel_new", 0.5) else "rel_old")

    async def test_a_release_for_another_kind_of_reader_is_set_aside(self, world, bundle):
        world.table = ServingTable(champion=bundle("better"))
        world.models.served = replace(world.models.served, engine="llama.cpp")
        _, finished = await world.ask(QUESTION)
        assert finished.record.release not in ("rel_better", "unknown")

    async def test_a_release_that_this_rag_does_not_understand_is_set_aside_and_counted(self, world, bundle, metric):
        world.table = ServingTable(champion=bundle("odd", settings={"version": 99}))
        _, finished = await world.ask(QUESTION)
        assert finished.record.release == world.release.id_with(world.models.served)
        assert metric("nexus_releases_not_understood_total") == 1

    async def test_a_release_can_be_asked_by_its_id(self, world, bundle):
        world.table = ServingTable(champion=bundle("old"), challenger=bundle("new"), share=0.0)
        _, finished = await world.ask(QUESTION, release="rel_new")
        assert finished.record.release == "rel_new"
        assert await world.answering().can_be_asked("rel_old")
        assert not await world.answering().can_be_asked("rel_gone")

    async def test_the_shares_are_shown(self, world, bundle, metric):
        world.table = ServingTable(champion=bundle("old"), challenger=bundle("new"), share=0.25)
        await world.ask(QUESTION)
        assert metric("nexus_release_serving", release="rel_new") == 0.25
        assert metric("nexus_release_serving", release="rel_old") == 0.75


class TestSteppingIn:
    async def test_the_champion_steps_in_for_a_challenger_that_is_not_loaded(self, world, bundle, metric):
        world.table = ServingTable(champion=bundle("old"), challenger=bundle("new"), share=1.0)
        world.reader.missing = {"reader_new"}
        _, finished = await world.ask(QUESTION)
        assert finished.record.release == "rel_old"
        assert metric("nexus_answers_total", release="rel_new", outcome="error") == 1
        assert metric("nexus_answers_stepped_in_total", release="rel_new") == 1

    async def test_the_first_release_steps_in_for_a_champion_that_is_not_loaded(self, world, bundle):
        world.table = ServingTable(champion=bundle("old"))
        world.reader.missing = {"reader_old"}
        _, finished = await world.ask(QUESTION)
        assert finished.record.release == world.release.id_with(world.models.served)

    async def test_nobody_steps_in_once_words_were_said(self, world, bundle):
        world.live()
        spoken = {**bundle("new").settings, "prompt": world.release.model_dump(mode="json")["prompt"]}
        world.table = ServingTable(challenger=bundle("new", settings=spoken), share=1.0)
        world.reader.fails_after = 1
        with pytest.raises(Unavailable):
            await world.ask(QUESTION)
        assert world.reader.models == ["reader_new"]

    async def test_whoever_is_turned_away_is_not_asked_to_queue_again(self, world, bundle):
        world.table = ServingTable(challenger=bundle("new"), share=1.0)
        world.slots = ReaderSlots(at_once=1, waiting=0, wait_seconds=1)
        async with world.slots.taken():
            with pytest.raises(Busy):
                await world.ask(QUESTION)
        assert world.reader.models == []

    async def test_when_nobody_can_answer_it_is_said(self, world, bundle):
        world.table = ServingTable(champion=bundle("old"), challenger=bundle("new"), share=1.0)
        world.reader.missing = {"reader", "reader_old", "reader_new"}
        with pytest.raises(Unavailable):
            await world.ask(QUESTION)
