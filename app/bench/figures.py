"""The figures by name: what is to be reached, and what stands beside each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run measured, by name, and what it could not measure and why."""

    figures: dict[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """`beside`: figures of the same run that it is held against, by what they are of."""

    name: str
    goal: str = ""
    beside: tuple[tuple[str, str], ...] = ()


_PROGRAMS = ("notmuch", "mu")
_WAYS = (("Maildir", "maildir_ratio"), ("zstd", "zstd_ratio"), ("git", "git_ratio"))

PAGES = tuple(
    f"page_{name}"
    for name in (
        "queue",
        "queue_older",
        "archives",
        "archives_of_type",
        "message",
        "form",
        "record",
        "file",
        "detach",
    )
)

SEARCH_KINDS = ("rare", "middling", "common", "two", "phrase", "prefix", "sender", "dates")
"""Of queries: one word that few, some or many mails have, two words, and so on."""

FIGURES = (
    Figure("messages", beside=(("on the server", "server_messages"),)),
    Figure("raw_bytes", beside=(("on the server", "server_bytes"),)),
    Figure("import_rate", "", tuple((one, f"{one}_rate") for one in _PROGRAMS)),
    Figure("import_over_notmuch", "5"),
    Figure("import_over_mu", "2"),
    Figure("import_wall_seconds", "", tuple((one, f"{one}_wall_seconds") for one in _PROGRAMS)),
    Figure("peak_megabytes"),
    Figure("stored_ratio", "0.45", _WAYS),
    Figure("stored_ratio_server", "", _WAYS),
    Figure("payload_ratio", "0.26", (("zstd", "zstd_ratio"),)),
    Figure("index_ratio", "0.35", tuple((one, f"{one}_index_ratio") for one in _PROGRAMS)),
    Figure("further_copy_bytes", "2,000"),
    Figure("attach_bytes", "10,000"),
    Figure("text_read_ms"),
    Figure("text_read_p95"),
    Figure("message_read_p95"),
    *(
        Figure(f"search_{name}", "", (("notmuch", f"notmuch_search_{name}"),))
        for name in (
            *("p50", "p95"),
            *(f"{kind}_{ending}" for kind in SEARCH_KINDS for ending in ("p50", "p95")),
        )
    ),
    Figure("search_growth", "2.5", (("a tenth, p95", "search_p95_small"),)),
    Figure("search_few_p95", "", (("who sees all", "search_p95"),)),
    Figure("search_page_p95", "60", (("p50", "search_page_p50"),)),
    Figure("searchable_seconds", "1", (("while indexing anew", "rebuild_searchable_seconds"),)),
    Figure("rebuild_rate"),
    Figure("rebuild_search_p95", "", (("longest", "rebuild_search_max"),)),
    Figure("rebuild_answers_changed", "0"),
    Figure("web_anon_megabytes", "150", (("of files", "web_file_megabytes"),)),
    Figure("worker_anon_megabytes", "300"),
    Figure("suggest_precision", "0.98"),
    Figure("suggest_recall", "0.85"),
    Figure("suggest_top5", "0.97"),
    Figure("held_out_precision", "0.98"),
    Figure("held_out_recall", "0.85"),
    Figure("held_out_top5", "0.97"),
    Figure("suggest_records"),
    Figure("suggest_p50"),
    Figure("suggest_p95", "10"),
    Figure("suggest_some_p95", "10"),
    Figure("growth_messages"),
    Figure("import_first_rate"),
    Figure("import_last_rate"),
    Figure("import_growth", "0.8"),
    Figure("import_growth_wall", "0.8"),
    Figure("page_messages"),
    Figure("page_records"),
    Figure("page_p95", "30", (("smaller", "page_p95_small"),)),
    *(
        Figure(
            f"{name}_p95",
            "30",
            (("p50", f"{name}_p50"), ("smaller", f"{name}_p95_small")),
        )
        for name in PAGES
    ),
    Figure("filed_found_seconds", "1", (("smaller", "filed_found_seconds_small"),)),
    Figure("narrowed_still_seen", "0"),
    Figure("sync_messages"),
    Figure("sync_ratio", "1"),
    Figure("sync_seconds", "", (("mbsync", "mbsync_seconds"), ("without fsync", "floor_seconds"))),
    Figure("sync_cpu_seconds", "", (("mbsync", "mbsync_cpu_seconds"),)),
)
"""In the order of the table. Rates are messages per CPU-second, `_p50`, `_p95` and `_ms` are
milliseconds, `_ratio` is bytes over the bytes of the mail itself; `sync_ratio` is wall time over
that of mbsync."""


def table(measured: Measured) -> str:
    """A line for each figure, with its goal and what stands beside it; then the notes."""
    figures = measured.figures
    lines = [f"{'figure':<20} {'value':>12} {'goal':>8}  beside"]
    for figure in FIGURES:
        if figure.name in figures:
            beside = ", ".join(
                f"{who} {_written(figures[name])}" for who, name in figure.beside if name in figures
            )
            value = _written(figures[figure.name])
            lines.append(f"{figure.name:<20} {value:>12} {figure.goal:>8}  {beside}".rstrip())
    return "\n".join([*lines, *measured.notes])


def _written(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or isinstance(value, int) else f"{value:,.3f}"
