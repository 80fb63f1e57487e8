"""A message made ready for a page: the pane beside a list and the message page show the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app import filing
from app.mail import ParsedMail, decode_leaf, leaf_text, parse, split_quoted
from app.model import Location, Message, Part, Row, Viewer
from app.store import Store, extracts, holdings, messages, queue, threads
from app.web import render
from app.web.db import AnyRequest
from app.web.forms import asked
from app.web.html_body import MOST_IMAGE_BYTES, remote_images

LONGEST_TEXT: Final = 500_000
_BASE64_GROWTH: Final = 1.5

View = Literal["html", "text"]


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as one viewer may see it.

    `text` is what its author wrote, `quoted` the rest; both empty where the HTML is shown.
    `remote_images` counts the pictures elsewhere that could be loaded. `is_aside`: set aside in
    a mailbox of the viewer's own. `may_edit`: he may say who else reads it (R50).
    `unread_texts`: why attachments are not searchable, by their positions.
    """

    row: Row
    mail: ParsedMail
    attachments: tuple[Part, ...]
    unread_texts: Mapping[int, str]
    view: View
    has_html: bool
    text: str
    quoted: str
    is_cut: bool
    is_own: bool
    thread: tuple[Message, ...]
    locations: tuple[Location, ...]
    remote_images: int = 0
    is_aside: bool = False
    may_edit: bool = False

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
    html = leaf_text(copy.raw, mail.html) if mail.html and view == "html" else ""
    return MessageView(
        row=queue.row(store, viewer, message.id),
        mail=mail,
        attachments=tuple(part for part in parts if part.is_attachment),
        unread_texts=extracts.unread(store, viewer, message.id),
        view=view,
        has_html=mail.html is not None,
        text=text.strip("\n"),
        quoted=quoted.strip("\n"),
        is_cut=len(mail.text) > LONGEST_TEXT,
        is_own=copy.is_own,
        thread=tuple(threads.thread(store, viewer, message.id)),
        locations=tuple(messages.locations(store, viewer, message.id)),
        remote_images=remote_images(html),
        is_aside=holdings.is_set_aside(store, viewer, message.id),
        may_edit=message.archived_at is not None
        and filing.may_change_access(store, viewer, message.id),
    )


def opened_message(request: AnyRequest, store: Store, viewer: Viewer) -> MessageView | None:
    """What is opened beside a list, by its address; None: nothing is. Raises NotFound."""
    wanted = asked(request, "open")
    return message_view(store, viewer, wanted, wanted=asked(request, "view")) if wanted else None


def pane(request: HTMXRequest, opened: MessageView | None) -> Template | None:
    """What is opened, if only that was asked for; else None: the page shows it beside its list."""
    if opened is None or request.headers.get("hx-target") != "pane":
        return None
    return render.page(
        request, "messages/show.html", context=opened, fragment="messages/_pane.html"
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
