"""What people say that is no question about documents. Pure."""

import re
from enum import Enum
from typing import Final


class SmallTalk(Enum):
    """Kinds of it; the values name the release's wording."""

    GREETING = "greeting"
    CAPABILITIES = "capabilities"
    THANKS = "thanks"
    GOODBYE = "goodbye"


_HELLO = r"(hi|hello|hey|hiya|howdy|greetings|hallo|hola|bonjour|moin|good (morning|afternoon|evening|day))"
_WHO = r"( (there|all|everyone|everybody|nexus|bot|friend|team|again))?"
_THANKS = r"(thanks?|thank you|thx|ty|cheers|many thanks|much appreciated|appreciate it)"
_PRAISE = (
    r"(great|perfect|nice|cool|awesome|excellent|wonderful|ok|okay|good job|well done|got it|that helps|that helped)"
)
_PATTERNS: Final = (
    (SmallTalk.GREETING, rf"{_HELLO}{_WHO}( {_HELLO})?( how are you( doing)?( today)?| how is it going| whats up)?"),
    (SmallTalk.GREETING, r"(how are you( doing)?( today)?|how is it going|whats up)"),
    (
        SmallTalk.CAPABILITIES,
        rf"({_HELLO} )?(what (can|do) you do|what can (i|you|we) (ask|do)( you| here| about)?( here| about)?"
        r"|what (questions|things) can i ask( you)?|what (do|can) you know( about)?|what are you( able to do)?"
        r"|who are you|how (do|can) you (work|help)( me)?|what can you (help|answer|tell)( me)?( with| about)?"
        r"|help( me)?|are you (a |an )?(bot|robot|human|ai|person)|introduce yourself)",
    ),
    (
        SmallTalk.THANKS,
        rf"({_PRAISE} )*{_THANKS}( you)?( very much| so much| a lot| a bunch| again| for (your|the) (help|answer))?"
        rf"( (that|this) (helps?|helped|works?|worked)( a lot)?)?( {_PRAISE})?",
    ),
    (SmallTalk.THANKS, rf"{_PRAISE}"),
    (SmallTalk.GOODBYE, r"(good ?bye|bye( bye)?|see you( later| soon)?|cya|farewell|good night|have a nice day)"),
)
_COMPILED: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
_LONGEST: Final = 80


def small_talk(message: str) -> SmallTalk | None:
    """What kind of small talk the whole message is; None when there is anything in it to look up."""
    if len(message) > _LONGEST:
        return None
    words = " ".join(re.sub(r"[^\w\s]", " ", message.lower().replace("'", "").replace("’", "")).split())
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(words)), None)
