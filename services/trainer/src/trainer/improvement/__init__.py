"""The improvement pipeline: from votes to a better release, or to a well-founded refusal.

The way through: `preparing` makes examples of votes (`locating` finds what a correction means, `personal_data` takes
out what names people), `tuning` learns from them, `evaluating` asks champion and candidate the same questions, `gate`
decides, `releases` says what may become of the candidate, `canary` watches it under real traffic. `steps` does the work
that a run is made of; what it decides by is pure.
"""
