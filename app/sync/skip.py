"""Which folders are not imported (product.md R21)."""

from collections.abc import Sequence

_DELETED = (
    "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Bin", "Rubbish", "Recycle Bin",
    "Kosz", "Elementy usunięte", "Usunięte",
    "Gelöscht", "Gelöschte Elemente", "Gelöschte Objekte", "Papierkorb",
    "Corbeille", "Éléments supprimés", "Messages supprimés",
    "Papelera", "Elementos eliminados", "Eliminados",
    "Cestino", "Posta eliminata", "Lixeira", "Itens Excluídos", "Itens Eliminados",
    "Prullenbak", "Verwijderde items", "Koš", "Odstraněná pošta", "Kôš", "Odstránená pošta",
    "Papperskorgen", "Borttagna objekt", "Papirkurv", "Slettet post", "Slettede elementer",
    "Roskakori", "Poistetut", "Кошик", "Видалені", "Корзина", "Удаленные", "Удалённые",
)  # fmt: skip
_SPAM = (
    "Junk", "Spam", "Junk Email", "Junk E-mail", "Junk Mail", "Bulk", "Bulk Mail",
    "Wiadomości-śmieci", "Wiadomości śmieci", "Śmieci", "Niechciane",
    "Junk-E-Mail", "Unerwünscht", "Werbung", "Spamverdacht",
    "Indésirables", "Courrier indésirable", "Pourriel", "Correo no deseado",
    "Posta indesiderata", "Lixo Eletrônico", "Lixo Eletrónico", "Lixo Electrónico",
    "Ongewenste e-mail", "Nevyžádaná pošta", "Nevyžiadaná pošta",
    "Skräppost", "Søppelpost", "Uønsket e-mail", "Roskaposti", "Спам",
    "Небажана пошта", "Нежелательная почта",
)  # fmt: skip
_DRAFTS = (
    "Drafts", "Draft", "Wersje robocze", "Szkice", "Robocze",
    "Entwürfe", "Brouillons", "Borradores", "Bozze", "Rascunhos", "Concepten",
    "Koncepty", "Rozepsané", "Rozpísané", "Utkast", "Kladder", "Luonnokset",
    "Чернетки", "Черновики",
)  # fmt: skip
_SOCIAL = ("Social", "Społeczności", "Soziale Netzwerke", "Réseaux sociaux")

_ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "trash": ("\\Trash", _DELETED),
    "deleted": ("\\Trash", _DELETED),
    "junk": ("\\Junk", _SPAM),
    "spam": ("\\Junk", _SPAM),
    "drafts": ("\\Drafts", _DRAFTS),
    "social": ("", _SOCIAL),
}


def skipped_by(
    name: str, special_use: str, skip_folders: Sequence[str], *, delimiter: str = "/"
) -> str | None:
    """The entry of `skip_folders` that keeps a folder out; None: it is imported.

    An entry matches the decoded full path or the last part of it, whatever the case; sub-folders
    follow. A default entry is a role too: "Trash" also means the folder that the server marks
    \\Trash, and those that other languages and providers call so. INBOX itself is never skipped
    by its role. An entry that is meant literally goes before one that is so by its role.
    """
    ancestry = _ancestry(name, delimiter)
    for entry in skip_folders:
        if _fold(entry) in ancestry - {""}:
            return entry
    for entry in skip_folders:
        use, synonyms = _ROLES.get(_fold(entry), ("", ()))
        wanted = {*map(_fold, synonyms)} - {""}
        if use and use == special_use and _fold(name) != "inbox":
            return entry
        if not wanted.isdisjoint(ancestry):
            return entry
    return None


def _ancestry(name: str, delimiter: str) -> set[str]:
    """The full path and the last part of a folder and of all above it.

    _ancestry("A/B", "/") == {"a", "a/b", "b"}
    """
    if not delimiter:
        return {_fold(name)}
    parts = _fold(name).split(_fold(delimiter))
    paths = [delimiter.join(parts[:end]) for end in range(1, len(parts) + 1)]
    return {*parts, *paths} - {""}


def _fold(text: str) -> str:
    return text.strip().casefold()
