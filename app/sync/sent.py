"""Which folder holds what was sent, where the server does not say so (SPECIAL-USE)."""

from collections.abc import Sequence
from dataclasses import replace
from unicodedata import normalize

from app.sync.answers import RemoteFolder

# Sources: as in skip.py.
_SENT = (
    "Sent", "Sent Items", "Sent Mail", "Sent Messages", "Sent-Mail", "OutBox Sent",
    "Wysłane", "Elementy wysłane", "Wysłane elementy", "Wiadomości wysłane", "Poczta wysłana",
    "Gesendet", "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten",
    "Envoyés", "Éléments envoyés", "Messages envoyés", "Enviados", "Elementos enviados",
    "Mensajes enviados", "Enviadas", "Itens Enviados", "Mensagens enviadas", "Elements enviats",
    "Inviati", "Inviata", "Posta inviata", "Elementi inviati", "Messaggi inviati",
    "Verzonden", "Verzonden items", "Verzonden berichten", "Odeslané", "Odeslaná pošta",
    "Odoslané", "Odoslaná pošta", "Elküldött", "Elküldött elemek", "Trimise", "Elemente trimise",
    "Poslano", "Poslane stavke", "Poslato", "Skickat", "Skickade objekt", "Sendt", "Sendt post",
    "Sendte elementer", "Sendte", "Lähetetyt", "Saadetud", "Nosūtītie", "Išsiųsta", "Išsiųstieji",
    "Отправленные", "Надіслані", "Изпратени", "Απεσταλμένα", "Gönderilmiş Öğeler", "Gönderilenler",
    "送信済み", "送信済みアイテム", "已发送", "已发送邮件", "寄件備份", "보낸 편지함",
)  # fmt: skip
_HOMES = frozenset({"", "inbox", "[gmail]", "[google mail]"})


def with_sent(listed: Sequence[RemoteFolder]) -> list[RemoteFolder]:
    """The folders, the first of them that is called so marked \\Sent if the server marks none."""
    if any(folder.special_use == "\\Sent" for folder in listed):
        return list(listed)
    found = next((folder for folder in listed if not folder.special_use and _is_sent(folder)), None)
    return [replace(one, special_use="\\Sent") if one is found else one for one in listed]


def _is_sent(folder: RemoteFolder) -> bool:
    above, _, leaf = _fold(folder.name).rpartition(folder.delimiter or "\0")
    return folder.is_selectable and leaf in _NAMES and above in _HOMES


def _fold(text: str) -> str:
    return normalize("NFC", text.casefold())


_NAMES = frozenset(map(_fold, _SENT))
