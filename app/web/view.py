"""A message made ready for a page: the pane beside the queue and the message page show the same."""

from dataclasses import dataclass
from typing import Final, Literal

from app.mail import ParsedMail, decode_leaf, leaf_text, parse, split_quoted
from app.model import Location, Message, Part, Row, Viewer
from app.store import Store, messages, queue
from app.web.html_body import MOST_IMAGE_BYTES

LONGEST_TEXT: Final = 500_000
_BASE64_GROWTH: Final = 1.5

View = Literal["html", "text"]


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as one viewer may see it.

    `text` is what its author wrote, `quoted` the rest; both empty where the HTML is shown.
    `in_archive`: opened from the archive, where the buttons have other names (R57, R59).
    """

    row: Row
    mail: ParsedMail
    attachments: tuple[Part, ...]
    view: View
    has_html: bool
    text: str
    quoted: str
    is_cut: bool
    is_own: bool
    thread: tuple[Message, ...]
    locations: tuple[Location, ...]

    @property
    def message(self) -> Message:
        return self.row.message


def message_view(store: Store, viewer: Viewer, public_id: str, *, wanted: str = "") -> MessageView:
    """The message; `wanted` is "text" for its plain text. Raises NotFound."""
    message = messages.get(store, viewer, public_id)
    copy = messages.best_copy(store, viewer, message.id)
    mail = parse(copy.raw)
    view: View = "html" if mail.html and wanted != "text" else "text"
    shown = mail.text[:LONGEST_TEXT] if view == "text" else ""
    text, quoted = split_quoted(shown)
    parts = messages.parts(store, viewer, message.id)
    return MessageView(
        row=queue.row(store, viewer, message.id),
        mail=mail,
        attachments=tuple(part for part in parts if part.is_attachment),
        view=view,
        has_html=mail.html is not None,
        text=text.strip("\n"),
        quoted=quoted.strip("\n"),
        is_cut=len(mail.text) > LONGEST_TEXT,
        is_own=copy.is_own,
        thread=tuple(messages.thread(store, viewer, message.id)),
        locations=tuple(messages.locations(store, viewer, message.id)),
    )


@dataclass(frozen=True, slots=True)
class MailHtml:
    """A message's HTML as it came, the images inside the message, and its plain text."""

    html: str
    images: dict[str, bytes]
    text: str


def mail_html(store: Store, viewer: Viewer, public_id: str) -> MailHtml:
    """What the frame needs. Raises NotFound."""
    message = messages.get(store, viewer, public_id)
    raw = messages.best_copy(store, viewer, message.id).raw
    mail = parse(raw)
    html = leaf_text(raw, mail.html) if mail.html else ""
    images = {
        leaf.content_id: decode_leaf(raw, leaf)
        for leaf in mail.leaves
        if leaf.content_id
        and leaf.content_type.startswith("image/")
        and leaf.end - leaf.start < MOST_IMAGE_BYTES * _BASE64_GROWTH
        and leaf.content_id in html
    }
    return MailHtml(html, images, mail.text[:LONGEST_TEXT])
