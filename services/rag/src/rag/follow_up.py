"""Making a question stand alone: "And for Helm?" means nothing without the question before it. Pure, by rules.

Only what clearly leans on the conversation is rewritten, because a wrong topic costs more than a missing one:

* it begins as a continuation ("and in Helm?", "what about tokens?"): the previous question, with the new part put in;
* it points back ("how do I change it?", "what does this mean?"): the previous topic takes the pronoun's place, or what
  was done ("how do I undo that?", "how long does that take?");
* it is only a fragment ("why?", "an example?"): the previous question goes before it.
"""

import re
from collections.abc import Iterable
from functools import reduce
from typing import Final

from opskit.lexical import STOP_WORDS

from rag.small_talk import small_talk

_CONTINUES: Final = re.compile(r"^\s*(?:and|or|but|so|also|then|what about|how about|same)\b[\s,:]*", re.IGNORECASE)
_ABOUT: Final = re.compile(r"^\s*(?:and |or |but |so )?(?:what|how) about\b[\s,:]*", re.IGNORECASE)
_PREPOSITION: Final = re.compile(r"^(for|in|on|with|without|from|to|at|of|under|by|via|using)\s+(.+)$", re.IGNORECASE)
_POINTS_BACK: Final = re.compile(
    r"\b(?P<owner>its|their)\b|\b(?P<thing>it|they|them|this|that|these|those)\b(?!\s+(?:is|was)\s+(?:possible|true)\b)",
    re.IGNORECASE,
)
_EMPTY_IT: Final = re.compile(
    r"\b(?:is|was|would|does|will|did) it (?:possible|necessary|safe|ok|okay|true|take|mean|matter|better|best)"
    r"|\bmake it (?:possible|so)|\bit that\b|\bit (?:is|'s|was) (?:possible|necessary|true)",
    re.IGNORECASE,
)
_NOT_ALONE: Final = frozenset({"this", "that", "these", "those"})
"""These point back only when no noun follows: "that" in "the setting that enables", "this" in "this version"."""
_DEMONSTRATES: Final = re.compile(
    r"^(?:\s*[?!.,;:]|\s*$|\s+(?:is|are|was|were|does|do|did|can|could|will|would|should|mean|means|work|works|happen|"
    r"happens|take|takes|cost|costs|be|in|on|for|with|from|to|at|by|via|when|if|without|again|too|also|instead|exactly|different|differ)\b)",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"^\s*(?:(?:please|can you|could you|would you|tell me|explain|show me|describe|i want to know|do you know)\s+)*"
    r"(?:what(?:'s| is| are| does| do| was| were)?|which|who|whom|whose|when|where|why"
    r"|how (?:many|much|long|often|do|does|can|is|are|to|should|would)?"
    r"|how|is|are|does|do|did|can|could|will|would|should|was|were)\b\s*"
    r"(?:i|you|we|one|is|are|do|does|can|should|the|a|an|there)?\s*\b",
    re.IGNORECASE,
)
_DEFINES: Final = re.compile(r"^\s*what(?:'s| is| are)\s+(?:an?\s+)?(?:[\w./-]+\s*){1,3}$", re.IGNORECASE)
_AUXILIARY: Final = re.compile(r"\s\b(?:do|does|did)\b(?=\s)", re.IGNORECASE)
_VERBS: Final = frozenset(
    """add apply build call change check configure connect control create define delete deploy disable edit enable find
    fix get give handle have install keep know limit list make mean move need override patch prevent pull push read
    remove rename replace reset restart restore resume roll run see set show sign skip start stop store suspend switch
    sync test turn uninstall update upgrade use validate verify view want work write""".split()
)
_DEEDS: Final = frozenset("abort automate avoid cancel do prevent repeat reverse revert schedule undo".split())
"""Verbs of which something that is done is the object, rather than a thing."""
_LASTS: Final = re.compile(r"^\s+(?:take|takes|cost|costs)\b", re.IGNORECASE)
_ENDS_SHORT: Final = re.compile(r"^[^aeiou]*[aeiou][^aeiouwxy]$")
_WHO_ACTS: Final = frozenset({"i", "you", "we", "one", "to"})
_DETERMINERS: Final = frozenset({"the", "a", "an", "my", "your", "our"})
_FRAGMENTS: Final = frozenset("example examples else more default details explain elaborate really sure".split())
_LONGEST: Final = 600
_FRAGMENT_WORDS: Final = 2


def standalone(questions: Iterable[str]) -> str:
    """The last of a conversation's questions, oldest first, so that it can be understood alone."""
    asked = [question.strip() for question in questions]
    *earlier, last = asked
    topic = reduce(lambda before, question: _resolved(question, before), (q for q in earlier if not small_talk(q)), "")
    return _resolved(last, topic)


def _resolved(question: str, previous: str) -> str:
    if not previous or len(question) > _LONGEST:
        return question
    previous = previous[:_LONGEST].rstrip(" ?!.")
    if (continued := _continued(question, previous)) is not None:
        return continued
    if (pointed := _pointed(question, previous)) is not None:
        return pointed
    if _is_fragment(question):
        return f"{previous}: {question}"
    return question


def _continued(question: str, previous: str) -> str | None:
    rest = _ABOUT.sub("", question, count=1)
    is_about = rest != question
    if not is_about:
        rest = _CONTINUES.sub("", question, count=1)
        if rest == question:
            return None
    rest = rest.strip(" ?!.")
    if not rest:
        return None
    if matched := _PREPOSITION.match(rest):
        return f"{_with_place(previous, matched.group(1), matched.group(2))}?"
    if _ASKS.match(rest):
        return _pointed(f"{rest}?", previous) or f"{rest}?"
    rest = _pointed(rest, previous) or rest
    if rest.split()[0].lower() in _VERBS and (asks := _ASKS.match(previous)):
        return f"{asks.group(0).strip()} {rest}?"
    if is_about and _DEFINES.match(previous):
        return f"What is {rest}?"
    return f"{previous} {rest}?"


def _with_place(previous: str, preposition: str, place: str) -> str:
    """The previous question with "in Helm" instead of "in Argo CD", or with it added."""
    found = list(re.finditer(rf"\b{preposition}\s+(?=\S)", previous, re.IGNORECASE))
    if found and found[-1].start() > 0:
        return f"{previous[: found[-1].start()]}{preposition} {place}"
    return f"{previous} {preposition} {place}"


def _pointed(question: str, previous: str) -> str | None:
    """The question with its pronoun replaced by the previous topic; None when nothing points back."""
    if _EMPTY_IT.search(question):
        return None
    for match in _POINTS_BACK.finditer(question):
        word = match.group(0).lower()
        if word in _NOT_ALONE and (not _DEMONSTRATES.match(question[match.end() :]) or _is_relative(question, match)):
            continue
        topic = (_deed_of(previous) if _means_deed(question, match) else "") or topic_of(previous)
        if not topic or re.search(rf"\b{re.escape(topic)}\b", question, re.IGNORECASE):
            return None
        owner = "'s" if match.group("owner") else ""
        return f"{question[: match.start()]}{topic}{owner}{question[match.end() :]}"
    return None


def _is_relative(question: str, match: re.Match[str]) -> bool:
    """Whether "that" follows a noun: "the setting that is used" points nowhere."""
    before = question[: match.start()].split()
    return match.group(0).lower() == "that" and bool(before) and before[-1].lower() not in STOP_WORDS | _VERBS | _DEEDS


def _means_deed(question: str, match: re.Match[str]) -> bool:
    """Whether what is pointed at is something that is done."""
    before = question[: match.start()].split()
    return bool(before and before[-1].lower() in _DEEDS) or _LASTS.match(question[match.end() :]) is not None


def _deed_of(question: str) -> str:
    """What a how-to question is about doing: "installing a chart"; empty when it asks for something else."""
    asks = _ASKS.match(question)
    words = question[asks.end() :].strip(" ?!.").split() if asks else []
    if asks is None or asks.group(0).split()[-1].lower() not in _WHO_ACTS or not words:
        return ""
    return " ".join([_gerund(words[0]), *words[1:]])


def _gerund(verb: str) -> str:
    if _ENDS_SHORT.match(verb):
        return f"{verb}{verb[-1]}ing"
    return f"{verb[:-1] if verb.endswith('e') and not verb.endswith('ee') else verb}ing"


def _is_fragment(question: str) -> bool:
    words = re.findall(r"[^\W_]+", question.lower())
    return len(words) <= _FRAGMENT_WORDS and all(word in _FRAGMENTS or word in STOP_WORDS for word in words)


def topic_of(question: str) -> str:
    """What a question is about: what is left without its question words and its verb."""
    asks = _ASKS.match(question)
    words = _AUXILIARY.sub("", question[asks.end() if asks else 0 :]).strip(" ?!.").split()
    # After "how do I" comes a verb; after "what is a" the same word is a noun ("a sync wave").
    verb_follows = asks is None or asks.group(0).split()[-1].lower() in _WHO_ACTS
    for skipped in (_VERBS if verb_follows else frozenset[str](), _DETERMINERS):
        if words and words[0].lower() in skipped:
            words = words[1:]
    return " ".join(words)
