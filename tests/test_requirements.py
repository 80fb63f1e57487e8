"""Each requirement has a test that names it: R1 to R80, the numbers of what the product must do."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
REQUIREMENTS = {f"R{number}" for number in range(1, 81)}


def named_in(path: Path) -> set[str]:
    """The numbers in the docstrings of a file's tests."""
    tests = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
    return {
        number
        for test in tests
        for number in re.findall(r"\bR\d+\b", ast.get_docstring(test) or "")
    }


def test_every_requirement_is_named_by_a_test() -> None:
    named = set().union(*map(named_in, TESTS.rglob("test_*.py")))

    assert sorted(REQUIREMENTS - named) == []
