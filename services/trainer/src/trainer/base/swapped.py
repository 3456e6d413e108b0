"""Questions made impossible: one thing in the question is changed, so that its passage no longer answers it.

The ways are those that people used for SQuAD 2.0 (Rajpurkar et al. 2018, table 2): another name or number, an opposite
word, a negation.
"""

import re
from random import Random

_NAME = re.compile(r"(?<!^)\b[A-Z][\w'’-]+(?: (?:of |the |de )?[A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_AUXILIARY = re.compile(r"\b(is|are|was|were|did|does|do|can|could|has|have|had|will|would|should|must|may)\b", re.I)
_PAIRS = """
first last|largest smallest|biggest smallest|most least|more less|more fewer|before after|highest lowest|higher lower
increase decrease|increased decreased|increases decreases|increasing decreasing|north south|northern southern
east west|eastern western|best worst|older newer|oldest newest|older younger|begin end|began ended|start stop
started stopped|start finish|early late|earlier later|earliest latest|maximum minimum|enable disable|enabled disabled
enables disables|enabling disabling|allow forbid|allowed forbidden|accept reject|accepted rejected|include exclude
included excluded|includes excludes|including excluding|add remove|added removed|adding removing|create delete
created deleted|creating deleting|install uninstall|install remove|encrypt decrypt|import export|public private
internal external|inside outside|above below|over under|up down|left right|top bottom|front back|open close
opened closed|win lose|won lost|strong weak|stronger weaker|strength weakness|advantage disadvantage
advantages disadvantages|positive negative|support oppose|supported opposed|supporters opponents|famous unknown
known unknown|important unimportant|common rare|commonly rarely|always never|often seldom|usually never|same different
similar different|male female|men women|man woman|father mother|brother sister|king queen|husband wife|son daughter
attack defend|attacked defended|buy sell|bought sold|teacher student|employer employee|parent child
ancestor descendant|birth death|born killed|build destroy|built destroyed|found lost|rise fall|rose fell|gain lose
gained lost|success failure|successful unsuccessful|able unable|agree disagree|agreed disagreed|appear disappear
approve disapprove|connect disconnect|direct indirect|formal informal|legal illegal|possible impossible
required optional|mandatory optional|upper lower|long short|longest shortest|longer shorter|tall short
tallest shortest|high low|deep shallow|wide narrow|fast slow|faster slower|fastest slowest|hot cold|hottest coldest
warm cool|wet dry|rich poor|richest poorest|new old|modern ancient|young old|youngest oldest|good bad|better worse
easy difficult|simple complex|major minor|majority minority|primary secondary|single multiple|one two|two three
three four|summer winter|spring autumn|day night|morning evening|urban rural|ally enemy|allies enemies|victory defeat
peace war|attract repel|expand shrink|expanded shrank|join leave|joined left|arrive depart|arrived departed
enter leave|entered left|rural urban|temporary permanent|static dynamic|local remote|read write|upload download
push pull|lock unlock|upgrade downgrade|scale shrink|client server|input output|source destination|sender receiver
latest oldest|stable unstable|valid invalid
""".replace("\n", "|")
_OPPOSITES: dict[str, list[str]] = {}
for _pair in filter(None, _PAIRS.split("|")):
    _one, _other = _pair.split()
    _OPPOSITES.setdefault(_one, []).append(_other)
    _OPPOSITES.setdefault(_other, []).append(_one)


def impossible(question: str, passage: str, elsewhere: str, random: Random) -> str | None:
    """`question` with one change, or None when there is nothing to change.

    Names and numbers come from `elsewhere`, another passage on the like, or from the passage itself.
    """
    ways = [_other_name, _other_number, _opposite, _opposite, _negated]
    random.shuffle(ways)
    for way in ways:
        changed = way(question, passage, elsewhere, random)
        if changed is not None and changed != question:
            return changed
    return None


def _other_name(question: str, passage: str, elsewhere: str, random: Random) -> str | None:
    return _exchanged(_NAME, question, passage, elsewhere, random)


def _other_number(question: str, passage: str, elsewhere: str, random: Random) -> str | None:
    return _exchanged(_NUMBER, question, passage, elsewhere, random)


def _exchanged(what: re.Pattern[str], question: str, passage: str, elsewhere: str, random: Random) -> str | None:
    old = [match for match in what.finditer(question) if match.group() in passage]
    material = elsewhere if random.random() < 0.6 else passage
    new = sorted({match.group() for match in what.finditer(material)} - {match.group() for match in old})
    new = [name for name in new if name not in question]
    if not old or not new:
        return None
    chosen = random.choice(old)
    return question[: chosen.start()] + random.choice(new) + question[chosen.end() :]


def _opposite(question: str, passage: str, elsewhere: str, random: Random) -> str | None:
    found = [match for match in re.finditer(r"[a-z]+", question) if match.group() in _OPPOSITES]
    if not found:
        return None
    chosen = random.choice(found)
    return question[: chosen.start()] + random.choice(_OPPOSITES[chosen.group()]) + question[chosen.end() :]


def _negated(question: str, passage: str, elsewhere: str, random: Random) -> str | None:
    match = _AUXILIARY.search(question)
    if match is None or random.random() < 0.5:
        return None
    word = match.group()
    short = {"can": "can't", "will": "won't"}.get(word, f"{word}n't")
    return question[: match.start()] + (f"{word} not" if word == "may" else short) + question[match.end() :]
