"""Which candidates count."""

from rag.candidates import newest_generations, related, worth_reading


def test_only_the_newest_generation_of_a_document_is_seen(world):
    old = world.found("It takes 3 minutes.", generation=4)
    new = world.found("It takes 5 minutes.", generation=5)
    other = world.found("Elsewhere.", document="other.md", generation=1)
    assert newest_generations([old, new, other]) == [new, other]


def test_the_order_is_kept(world):
    chunks = [world.found(f"text {n}", document=f"{n}.md") for n in range(5)]
    assert newest_generations(chunks) == chunks


def test_the_same_text_is_read_once_wherever_it_stands(world):
    here, there = world.found("The same\n words."), world.found("The same words.", document="copy.md")
    assert list(worth_reading([here, there], per_document=5)) == [here]


def test_one_document_does_not_crowd_out_the_others(world):
    crowd = [world.found(f"part {n}") for n in range(6)]
    other = world.found("Another one.", document="other.md")
    assert list(worth_reading([*crowd, other], per_document=2)) == [*crowd[:2], other]


def test_what_shares_neither_a_word_nor_a_meaning_with_the_question_is_left_out(world):
    far = world.found("A cold of minus 20 degrees.", title="Limits", heading="", similarity=0.2)
    near = world.found("Staff have 28 days off.", title="Leave", heading="", similarity=0.39)
    named = world.found("Mercury is not sold.", title="Goods", heading="", similarity=0.1)
    by_words = world.found("Boiling is bad.", title="Goods", heading="", similarity=None)
    candidates = [far, near, named, by_words]
    assert related(candidates, "What is the boiling point of mercury?", similar_from=0.22) == [near, named, by_words]
