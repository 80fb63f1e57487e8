"""Proof that the archive holds what it says, and the repair of what it does not.

It reads every stored byte; the servers only through the `fetch` that it is given.
"""

from app.verify.check import Findings, examine
from app.verify.nightly import Outcome, outcome, scrub
from app.verify.repair import Fetch, Repaired, repair
from app.verify.say import Verified, sentence, told, verify

__all__ = [
    "Fetch",
    "Findings",
    "Outcome",
    "Repaired",
    "Verified",
    "examine",
    "outcome",
    "repair",
    "scrub",
    "sentence",
    "told",
    "verify",
]
