"""Questions made from documentation by rules: definitions, defaults, purposes, conditions, steps, numbers, names, rows.

A sentence of a known form gives a question whose answer stands in it. Words are dropped and exchanged for others of
their meaning, because people do not ask in the words of the document.
"""

import re
from collections.abc import Iterator
from random import Random

from grounding.reading import read
from grounding.sentences import sentences

from trainer.base.rows import Document, Row

PASSAGE_WORDS = (40, 150)
MAX_ANSWER_WORDS = 28
"""Longer spans cannot be chosen by the reader, which looks at 32 tokens."""

_IDENTIFIER = (
    r"(?:`[^`\n]{2,50}`|(?<![\w-])--[a-z][\w-]+|\b[a-z]+(?:_[a-z0-9]+)+\b|\b[A-Z]{2,}(?:_[A-Z0-9]+)+\b"
    r"|\b[a-z]+(?:[A-Z][a-z0-9]+)+\b|\b[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+/[\w.-]+)"
)
_UNIT = (
    r"(?: ?(?:%|[KMGT]i?B\b|ms\b)| (?:percent|(?:milli)?seconds?|minutes?|hours?|days?|weeks?|months?|years?|bytes?"
    r"|bits?|characters?|nodes?|users?|items?|requests?|million|billion|times|instances?|replicas?|connections?|threads?|files?"
    r"|groups?|entries|attempts|retries|levels?)\b)"
)
_NUMBER = re.compile(rf"(?<![\w.-])\$?\d[\d,]*(?:\.\d+)?{_UNIT}?(?![\w.-]*\w)")
_VERSION = re.compile(r"\b(?:version |v)\d+(?:\.\d+)+\b")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_CODE = re.compile(_IDENTIFIER)

_DEFINED = re.compile(
    r"^((?:The |An? )?[\w`./ -]{2,50}?) (is|are|refers to|means) ((?:an?|the|one of|used|responsible) [^;]{12,200})\.$"
)
_DEFAULT_IS = re.compile(r"^(?:The )?[Dd]efault (?:value )?(?:for|of) (.{3,70}?) is ([^,;]{1,60}?)(?:[,;].*)?\.$")
_BY_DEFAULT = re.compile(r"^By default, (.{3,80}?) (is|are|uses?|has|have) ([^,;]{2,80}?)(?:[,;].*)?\.$")
_DEFAULTS_TO = re.compile(r"(?:[Dd]efaults? to|[Dd]efault(?: value)?(?: is|:|=)) (`[^`\n]+`|\"[^\"\n]+\"|[\w./-]*\w)")
_TO_DO = re.compile(r"^(?:In order to|To) ([a-z][^,:]{6,100}), (.{8,180})[.:]$")
_USED_TO = re.compile(r"^(?:You can use|Use|You use) (.{3,70}?) to ([a-z].{6,110})\.$")
_IF = re.compile(r"^(?:If|When) ([^,]{8,110}), (.{8,180})\.$")
_BECAUSE = re.compile(r"^(.{15,130}?),? because (.{10,150})\.$")
_MUST = re.compile(r"^((?:The |An? |Your )?[\w`./ -]{3,55}?) (must|should|cannot|can only) ([a-z][^;]{5,130})\.$")
_TERM = re.compile(r"^[-*+]?\s*(`[^`\n]{2,50}`|[A-Za-z][\w ./()-]{1,45}?)(?:: | - | – |, (?=[A-Z]))(.{15,220}?)\.?$")
_SAYS = re.compile(
    r"\b(?:is|are|was|were|has|have|can|cannot|must|should|will|may|sets?|uses?|allows?|returns?|specif\w+|takes?|defaults?"
    r"|runs?|contains?|provides?|controls?|defines?|supports?|requires?|adds?|creates?|enables?)\b"
)
_NO_SUBJECT = frozenset("it this that these those there they he she we you i here which what one note".split())
_LITTLE = frozenset("the a an of to in on for by with is are be as at from that this it its and or your you".split())

_SAME = {
    "use": "utilize work-with", "uses": "utilizes employs", "create": "make", "creates": "makes",
    "contains": "includes holds", "allows": "lets permits", "specify": "set give", "specifies": "sets gives",
    "remove": "delete drop", "delete": "remove", "start": "begin launch", "starts": "begins", "configure": "set-up",
    "enable": "turn-on activate", "enabled": "switched-on", "disable": "turn-off", "disabled": "switched-off",
    "modify": "change alter", "change": "modify alter", "requires": "needs", "require": "need", "required": "needed",
    "provides": "offers gives", "supports": "works-with", "displays": "shows", "select": "choose pick",
    "determine": "find-out", "method": "way", "received": "got", "known": "called", "located": "found",
    "approximately": "about roughly", "ensure": "make-sure", "perform": "carry-out do", "maximum": "largest most",
    "minimum": "smallest least", "initial": "first", "default": "standard", "number": "count amount", "size": "length",
    "run": "execute", "runs": "executes", "execute": "run", "terminated": "ended stopped", "stored": "kept saved",
    "store": "keep save", "removed": "deleted dropped", "added": "introduced", "introduced": "added",
    "limit": "cap maximum", "timeout": "time-limit", "retry": "try-again", "fails": "breaks does-not-work",
    "failed": "broke", "new": "fresh", "specified": "given set", "user": "person account", "users": "people",
    "returns": "gives", "update": "refresh change", "updates": "refreshes", "automatically": "by-itself",
    "multiple": "several many", "existing": "present", "obtain": "get", "deployed": "rolled-out", "application": "app",
    "applications": "apps", "repository": "repo", "parameter": "option", "option": "setting", "setting": "option",
    "command": "instruction", "error": "failure", "exceeds": "is-more-than",
}  # fmt: skip


def passages(document: Document, random: Random) -> list[str]:
    """Stretches of the document's plain text, as a splitter would cut them: whole paragraphs, 40 to 150 words."""
    wanted = random.randint(*PASSAGE_WORDS)
    cut: list[str] = []
    held: list[str] = []
    words = 0
    for paragraph in re.split(r"\n\s*\n|\n(?=#)", document.text):
        text = read(paragraph, keep_code_marks=random.random() < 0.3).text.strip()
        size = len(text.split())
        if not text or size > 2 * PASSAGE_WORDS[1]:
            continue
        if words and words + size > wanted:
            cut.append("\n".join(held))
            held, words = [], 0
            wanted = random.randint(*PASSAGE_WORDS)
        held.append(text)
        words += size
    if held:
        cut.append("\n".join(held))
    return [passage for passage in cut if len(passage.split()) >= 20]


def questions(document: Document, passage: str, random: Random, most: int) -> list[Row]:
    """Up to `most` questions that `passage` answers, of different sentences."""
    ranges = [(start, end) for start, end in sentences(passage) if 4 <= len(passage[start:end].split()) <= 45]
    random.shuffle(ranges)
    rows: list[Row] = []
    for start, end in ranges:
        if len(rows) == most:
            break
        asked = list(_of_sentence(passage[start:end], random))
        if not asked:
            continue
        question, first, last = random.choice(asked)
        question = _spoken(question, random)
        if len(passage[start + first : start + last].split()) <= MAX_ANSWER_WORDS and 3 <= len(question.split()) <= 40:
            rows.append(Row(document.source, document.title, passage, question, start + first, start + last))
    return rows


def _of_sentence(sentence: str, random: Random) -> Iterator[tuple[str, int, int]]:
    """Questions with the ranges of their answers in the sentence."""
    found = list(_of_form(sentence, random))
    yield from found
    if not found or random.random() < 0.5:
        yield from _of_part(sentence, random)


def _of_form(sentence: str, random: Random) -> Iterator[tuple[str, int, int]]:
    bare = re.sub(r"^[-*+] +", "", sentence)
    shift = len(sentence) - len(bare)

    def found(question: str, match: re.Match[str], group: int) -> tuple[str, int, int]:
        return question, shift + match.start(group), shift + match.end(group)

    if (m := _DEFINED.match(bare)) and m[1].lower() not in _NO_SUBJECT:
        verb = m[2] if m[2] in ("is", "are") else "is"
        thing = _lowered(m[1])
        yield found(random.choice([f"What {verb} {thing}?", f"What does {thing} mean?", f"Define {thing}"]), m, 3)
        yield found(f"What {verb} {_paraphrased(m[3], random)}?", m, 1)
    if m := _DEFAULT_IS.match(bare):
        asks = [
            "What is the default for {}?",
            "default {}",
            "What does {} default to?",
            "Which {} is used unless I set it?",
        ]
        yield found(random.choice(asks).format(_paraphrased(m[1], random)), m, 2)
    elif m := _BY_DEFAULT.match(bare):
        yield found(f"What {m[2]} {_lowered(m[1])} by default?", m, 3)
    elif (m := _DEFAULTS_TO.search(bare)) and (about := _paraphrased(bare[: m.start()] + bare[m.end() :], random)):
        asks = [
            "What is the default value of {}?",
            "If I set nothing, what is {}?",
            "{} default",
            "What does {} default to?",
        ]
        yield found(random.choice(asks).format(about), m, 1)
    if m := _TO_DO.match(bare):
        yield found(
            random.choice(["How do I {}?", "How can I {}?", "How to {}?", "What do I do to {}?"]).format(_mine(m[1])),
            m,
            2,
        )
    if m := _USED_TO.match(bare):
        asks = ["How do I {}?", "What can I use to {}?", "What should I use to {}?", "What lets me {}?"]
        yield found(random.choice(asks).format(_mine(_paraphrased(m[2], random))), m, 1)
    if m := _IF.match(bare):
        asks = ["What happens if {}?", "What if {}?", "What happens when {}?", "What should I do if {}?"]
        yield found(random.choice(asks).format(_mine(m[1])), m, 2)
    if m := _BECAUSE.match(bare):
        yield found(f"Why {random.choice(['is it that ', ''])}{_lowered(m[1])}?", m, 2)
    if (m := _MUST.match(bare)) and m[1].lower() not in _NO_SUBJECT:
        yield found(f"What {m[2].replace(' only', '')} {_lowered(m[1])} do?", m, 3)
    if (m := _TERM.match(bare)) and m[1].lower() not in _NO_SUBJECT and len(m[1].split()) <= 5:
        term = m[1].strip("`")
        yield found(
            random.choice([f"What is {term}?", f"What does {term} do?", f"What is the purpose of {term}?"]), m, 2
        )
        kind = random.choice(["Which option", "Which setting", "What", "Which one", "Which field"])
        yield found(f"{kind} {_paraphrased(m[2], random)}?", m, 1)


def _of_part(sentence: str, random: Random) -> Iterator[tuple[str, int, int]]:
    """One part of the sentence is asked for with the words around it."""
    if "\n" in sentence or not _SAYS.search(sentence):
        return
    asks: list[tuple[re.Pattern[str], list[str]]] = [
        (_VERSION, ["Which version", "In which version", "Since when", "What version"]),
        (_YEAR, ["When", "In what year", "In which year"]),
        (_NUMBER, ["How many", "What number", "How much", "What is the value", "How long", "What"]),
        (
            _CODE,
            [
                "Which command",
                "Which option",
                "Which setting",
                "What",
                "Which field",
                "Which parameter",
                "What is the name",
            ],
        ),
    ]
    for pattern, words in asks:
        matches = list(pattern.finditer(sentence))
        if matches:
            match = random.choice(matches)
            around = _paraphrased(f"{sentence[: match.start()]} {sentence[match.end() :]}", random)
            if len(around.split()) >= 3:
                question = f"{random.choice(words)} {around}?" if random.random() < 0.85 else around
                yield question, *_inside_marks(sentence, *match.span())


def _inside_marks(text: str, start: int, end: int) -> tuple[int, int]:
    return (start + 1, end - 1) if text[start] == text[end - 1] == "`" and end - start > 2 else (start, end)


def _paraphrased(text: str, random: Random) -> str:
    """Some words dropped, some exchanged; sometimes only those that carry meaning."""
    words = re.sub(r"[`\"()*]|[,.;:]+(?=\s|$)", "", text).split()[:26]
    keywords = random.random() < 0.25
    drop = random.choice([0, 0.05, 0.15])
    said: list[str] = []
    for word in words:
        if (keywords and word.lower() in _LITTLE) or (random.random() < drop and word.lower() not in ("not", "no")):
            continue
        others = _SAME.get(word.lower(), "").split()
        said.append(random.choice(others).replace("-", " ") if others and random.random() < 0.4 else word)
    return _mine(_lowered(" ".join(said)))


def _mine(text: str) -> str:
    return re.sub(r"\byou\b", "I", re.sub(r"\byour\b", "my", text))


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:] if len(text) > 1 and text[1].islower() else text


def _spoken(question: str, random: Random) -> str:
    if random.random() < 0.15:
        question = question.lower()
    return question.rstrip("?") if random.random() < 0.12 else question
