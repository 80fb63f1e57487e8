"""Whatever is typed gives an answer; tools/fuzz_queries.py asks a hundred thousand times."""

import importlib.util
from pathlib import Path

from app.search import search_messages
from tests.search.conftest import mail

TOOL = Path(__file__).parents[2] / "tools" / "fuzz_queries.py"


def test_two_thousand_strange_queries_are_all_answered(house):
    spec = importlib.util.spec_from_file_location("fuzz_queries", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    house.receive(mail("Faktura FV/2025/03/117", "za dostawę betonu"))
    house.index()

    pages = [search_messages(house.store, house.alice, text) for text in tool.queries(2_000)]

    assert any(page.total for page in pages)
    assert not [page for page in pages if any("rebuilt" in note for note in page.query.notes)]
