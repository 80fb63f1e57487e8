"""Which folders are not imported (product.md R21)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from unicodedata import normalize

# What mail systems call these folders. Sources: the names that Roundcube, Gmail, Outlook and
# Exchange, Apple Mail and Thunderbird give them in each language, and those of Polish, German,
# French and Italian providers' own webmail.
_DELETED = (
    "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Trash Can", "Recycle Bin",
    "Kosz", "Elementy usunięte", "Usunięte", "Usunięte elementy", "Wiadomości usunięte",
    "Gelöscht", "Gelöschte Elemente", "Gelöschte Objekte", "Gelöschte Nachrichten", "Papierkorb",
    "Corbeille", "Éléments supprimés", "Messages supprimés", "Supprimés", "Poubelle",
    "Papelera", "Papelera de reciclaje", "Elementos eliminados", "Eliminados",
    "Mensajes eliminados", "Paperera", "Elements suprimits",
    "Cestino", "Posta eliminata", "Elementi eliminati", "Messaggi eliminati",
    "Lixeira", "Itens Excluídos", "Itens Eliminados", "Mensagens excluídas",
    "Prullenbak", "Prullenmand", "Verwijderde items", "Verwijderde berichten", "Verwijderd",
    "Odstraněná pošta", "Odstraněné", "Odstránená pošta", "Odstránené položky", "Odstránené",
    "Törölt elemek", "Törölt üzenetek", "Lomtár", "Elemente șterse", "Elemente şterse",
    "Coș de gunoi", "Smeće", "Izbrisane stavke", "Obrisane stavke", "Izbrisano", "Смеће",
    "Изтрити", "Изтрити елементи", "Кошче",
    "Papperskorg", "Papperskorgen", "Borttagna objekt", "Borttaget", "Papirkurv", "Papirkurven",
    "Slettet post", "Slettede elementer", "Slettet", "Sletta",
    "Roskakori", "Poistetut", "Poistetut kohteet", "Prügikast", "Kustutatud", "Kustutatud kirjad",
    "Kustutatud üksused", "Papīrgrozs", "Atkritne", "Izdzēstie vienumi", "Šiukšlinė",
    "Šiukšliadėžė", "Panaikinti elementai", "Ištrinti laiškai",
    "Корзина", "Удаленные", "Удалённые", "Удаленные элементы", "Кошик", "Видалені",
    "Видалені елементи", "Сметніца", "Κάδος απορριμμάτων", "Κάδος απορριμάτων", "Διαγραμμένα",
    "Çöp Kutusu", "Çöp", "Silinmiş Öğeler", "Silinenler", "אשפה", "פריטים שנמחקו",
    "المهملات", "العناصر المحذوفة", "Thùng rác", "ถังขยะ",
    "ごみ箱", "ゴミ箱", "削除済みアイテム", "已删除", "已删除邮件", "已删除消息", "刪除的郵件",
    "垃圾桶", "지운 편지함", "휴지통",
)  # fmt: skip
_SPAM = (
    "Junk", "Spam", "Junk Email", "Junk E-mail", "Junk Mail", "Junk Items", "Bulk Mail",
    "Wiadomości-śmieci", "Wiadomości śmieci", "Wiadomości - śmieci", "Niechciane",
    "Niechciana poczta", "Poczta-śmieci",
    "Junk-E-Mail", "Unerwünscht", "Unerwünschte Werbung", "Spamverdacht", "Spam-Verdacht",
    "Indésirables", "Courrier indésirable", "Courrier indésirables", "Pourriel", "Pourriels",
    "Correo no deseado", "No deseado", "Correo basura", "Correu brossa", "Correo lixo",
    "Posta indesiderata", "Indesiderata", "Lixo Eletrônico", "Lixo Eletrónico", "Lixo Electrónico",
    "E-mail de Lixo", "Correio Eletrónico de Lixo", "Ongewenste e-mail", "Ongewenst",
    "Ongewenste post", "Nevyžádaná pošta", "Nevyžiadaná pošta", "Nevyžiadané",
    "Levélszemét", "Kéretlen", "E-mail nedorit", "Mesaje nedorite", "Neželjena e-pošta",
    "Neželjena pošta", "Neželena pošta", "Neželena e-pošta", "Neželena sporočila",
    "Bezvredna e-pošta", "Нежелана поща",
    "Skräppost", "Skräp", "Søppelpost", "Søppel-e-post", "Søppel", "Uønsket e-mail",
    "Uønsket mail", "Uønsket post", "Roskaposti", "Rämpspost", "Mēstules", "Šlamštas",
    "Brukalas", "Спам", "Небажана пошта", "Нежелательная почта",
    "Ανεπιθύμητα", "Ανεπιθύμητη αλληλογραφία", "İstenmeyen", "Önemsiz E-posta",
    "Gereksiz E-posta", "דואר זבל", "البريد غير الهام", "البريد الإلكتروني غير الهام",
    "Thư rác", "อีเมลขยะ", "迷惑メール", "垃圾邮件", "垃圾郵件", "스팸 편지함",
    "스팸메일함", "정크 메일",
)  # fmt: skip
_DRAFTS = (
    "Drafts", "Draft", "Wersje robocze", "Kopie robocze",
    "Entwürfe", "Brouillons", "Borradores", "Esborranys", "Bozze", "Rascunhos", "Concepten",
    "Rozepsané", "Rozepsané zprávy", "Rozpísané", "Piszkozatok", "Ciorne", "Utkast", "Kladder",
    "Luonnokset", "Mustandid", "Uzmetumi", "Melnraksti", "Juodraščiai", "Osnutki", "Чернови",
    "Чернетки", "Черновики", "Чарнавікі", "Πρόχειρα", "Taslaklar", "טיוטות", "المسودات", "مسودات",
    "Thư nháp", "ฉบับร่าง", "下書き", "草稿", "草稿箱", "草稿匣", "임시 보관함", "임시보관함",
)  # fmt: skip
_SOCIAL = ("Social", "Społeczności", "Soziale Netzwerke", "Réseaux sociaux")

# Words that people give to folders of their own too (a basket, sketches, advertising): they stand
# for the role only where mail systems make such folders, which is at the top, under INBOX or
# under Gmail's own. Anywhere else a folder too many is better than one that is missing.
_ORDINARY: dict[str, tuple[str, ...]] = {
    "\\Trash": ("Bin", "Rubbish", "Koš", "Kôš", "Kuka", "Gunoi", "Smeti", "Lixo"),
    "\\Junk": ("Bulk", "Śmieci", "Werbung"),
    "\\Drafts": ("Szkice", "Robocze", "Koncepty", "Skice", "Schițe", "Kladd", "Taslak"),
}
_HOMES = frozenset({"", "inbox", "[gmail]", "[google mail]"})


class Named(Protocol):
    """A folder as a server lists it: decoded full path, SPECIAL-USE like "\\Trash" or ""."""

    @property
    def name(self) -> str: ...
    @property
    def special_use(self) -> str: ...
    @property
    def delimiter(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Role:
    """What a default entry stands for: a SPECIAL-USE, names anywhere, names in a home (folded)."""

    use: str
    names: frozenset[str]
    at_home: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Line:
    """A folder and all above it, top first (folded): full paths, last parts, and their uses."""

    paths: tuple[str, ...]
    parts: tuple[str, ...]
    uses: frozenset[str]

    @property
    def at_home(self) -> set[str]:
        above = ("", *self.paths)
        return {part for part, home in zip(self.parts, above, strict=False) if home in _HOMES}


def skip_entries(listed: Sequence[Named], skip_folders: Sequence[str]) -> list[str | None]:
    """For each folder of a server the entry of `skip_folders` that keeps it out; None: imported.

    An entry matches the decoded full path or the last part of it, whatever the case; sub-folders
    follow. A default entry is a role too: "Trash" also means the folder that the server marks
    \\Trash, and those that other languages and providers call so. INBOX itself is never skipped
    by its role. An entry that is meant literally goes before one that is so by its role.
    """
    uses = {_fold(folder.name): folder.special_use for folder in listed if folder.special_use}
    return [
        _matching(_line(folder.name, folder.delimiter, uses), skip_folders) for folder in listed
    ]


def _matching(line: _Line, skip_folders: Sequence[str]) -> str | None:
    names = {*line.paths, *line.parts}
    for entry in skip_folders:
        if _fold(entry) in names:
            return entry
    for entry in skip_folders:
        role = _ROLES.get(_fold(entry))
        if role and _is_in(role, line, names):
            return entry
    return None


def _is_in(role: _Role, line: _Line, names: set[str]) -> bool:
    is_marked = bool(role.use) and role.use in line.uses
    return is_marked or bool(role.names & names) or bool(role.at_home & line.at_home)


def _line(name: str, delimiter: str, uses: Mapping[str, str]) -> _Line:
    """`uses` are SPECIAL-USE by folded full path.

    _line("A/B", "/", {}) == _Line(("a", "a/b"), ("a", "b"), frozenset())
    """
    folded = _fold(name)
    parts = folded.split(delimiter.casefold()) if delimiter else [folded]
    paths = [delimiter.casefold().join(parts[:end]) for end in range(1, len(parts) + 1)]
    found = {uses.get(path, "") for path in paths if path != "inbox"}
    return _Line(
        tuple(path for path, part in zip(paths, parts, strict=True) if part),
        tuple(part for part in parts if part),
        frozenset(found - {""}),
    )


def _fold(text: str) -> str:
    """As names are compared; some servers send an accent as a character of its own."""
    return normalize("NFC", text.strip().casefold())


def _role(use: str, names: Sequence[str]) -> _Role:
    at_home = _ORDINARY.get(use, ())
    return _Role(use, frozenset(map(_fold, names)), frozenset(map(_fold, at_home)))


_ROLES = {
    "trash": _role("\\Trash", _DELETED),
    "deleted": _role("\\Trash", _DELETED),
    "junk": _role("\\Junk", _SPAM),
    "spam": _role("\\Junk", _SPAM),
    "drafts": _role("\\Drafts", _DRAFTS),
    "social": _role("", _SOCIAL),
}
