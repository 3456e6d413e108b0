"""Steps and code as answers."""

from grounding.blocks import blocks
from nexus_serving.engines.procedures import LONGEST, procedures
from nexus_serving.engines.wording import procedure_pieces


def told(text: str) -> list[str]:
    return ["".join(procedure_pieces(text, found, 1)) for found in procedures(text, blocks(text))]


def test_steps_are_told_whole_with_the_words_before_them():
    text = "Unrelated.\n\nTo add a cluster:\n\n1. Log in.\n2. Run the\n   command.\n3. Check.\n\nUnrelated end."
    assert told(text) == ["To add a cluster:\n\n1. Log in.\n2. Run the command.\n3. Check.\n\n[1]"]


def test_code_is_told_with_its_language_and_lead_in():
    text = "First of all. Then run:\n\n```bash\nhelm list\n```\n"
    assert told(text) == ["First of all. Then run:\n\n```bash\nhelm list\n```\n\n[1]"]


def test_commands_with_a_few_words_between_them_are_one_procedure():
    text = "Add it:\n\n```\nhelm repo add a\n```\n\nThen update:\n\n```\nhelm repo update\n```"
    assert len(told(text)) == 1
    assert "Then update:" in told(text)[0]


def test_code_inside_a_step_stays_inside_it():
    text = "1. Write:\n\n   ```yaml\n   a:\n     b: 1\n   ```\n\n2. Apply."
    assert told(text) == ["1. Write:\n\n   ```yaml\n   a:\n     b: 1\n   ```\n\n2. Apply.\n\n[1]"]


def test_a_lone_list_item_is_no_procedure():
    assert told("Words.\n\n- only this") == []


def test_a_long_procedure_ends_after_a_whole_step():
    text = "Do:\n\n" + "\n".join(f"{number}. {'word ' * 40}end." for number in range(1, 30))
    found = procedures(text, blocks(text))[0]
    assert found.end - found.start <= LONGEST
    assert text[: found.end].endswith("end.")


def test_the_range_is_verbatim_from_lead_in_to_last_step():
    text = "Before.\n\nDo this:\n\n- **one**\n- two\n\nAfter."
    found = procedures(text, blocks(text))[0]
    assert text[found.start : found.end] == "Do this:\n\n- **one**\n- two"


def test_code_that_holds_a_fence_cannot_break_out_of_its_own():
    text = "Write:\n\n````\n```\ninner\n```\n````"
    assert "````\n```\ninner\n```\n````" in told(text)[0]
