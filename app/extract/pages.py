"""What is read out of a document, page by page, within limits."""

import time
from typing import Final

from app.mail.charsets import display

MOST_CHARACTERS: Final = 1_000_000
LONGEST_NAME: Final = 100
CPU_SECONDS: Final = 3.0
"""After so long the rest is left out; a step that does not come to its end is killed later."""


class Refused(Exception):
    """Nothing more can be read; `status` is one of the store's words for why."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Pages:
    """The text so far. `prefix` names the attachment inside a mail that is being read."""

    def __init__(self) -> None:
        self.prefix = ""
        self._pages: list[tuple[str, list[str]]] = [("", [])]
        self._room = MOST_CHARACTERS
        self._deadline = time.process_time() + CPU_SECONDS

    def begin(self, name: str) -> None:
        """Have what follows on a page of this name. Raises Refused, as `add`."""
        full = ", ".join(filter(None, (self.prefix, " ".join(name.split()))))
        self._pages.append((display(full)[:LONGEST_NAME], []))
        self._take(1)

    def add(self, text: str) -> None:
        """Raises Refused where the text or the time is at its end."""
        self._pages[-1][1].append(text[: self._room])
        self._take(len(text))

    def check_time(self) -> None:
        if time.process_time() > self._deadline:
            raise Refused("slow")

    def text(self) -> str:
        """As the store keeps it (`app.store.extracts`): named pages after form feeds."""
        pages = [(name, _clean("".join(pieces))) for name, pieces in self._pages]
        if not any(body for _, body in pages):
            return ""
        if not any(name for name, _ in pages):
            return "\n".join(body for _, body in pages if body)
        return "".join(f"\f{name}\n{body}" for name, body in pages if body)

    def _take(self, characters: int) -> None:
        self._room -= characters
        if self._room <= 0:
            raise Refused("cut")
        self.check_time()


def _clean(text: str) -> str:
    """Without what would look like the end of a page, in Unix lines; surrogates in pairs joined."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return display(text).replace("\0", "").strip()
