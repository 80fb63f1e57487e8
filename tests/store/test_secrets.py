"""The key of the data directory: made once, whoever asks first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from app.store.secrets import load_key


def test_threads_that_make_the_key_at_once_get_the_same(tmp_path: Path) -> None:
    ready = Barrier(8)

    def ask(number: int) -> bytes:
        directory = tmp_path / str(number // 8)
        directory.mkdir(exist_ok=True)
        ready.wait(30)
        return load_key(directory)

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(ask, range(80)))

    assert [len(set(keys[at : at + 8])) for at in range(0, 80, 8)] == [1] * 10
    assert [[file.name for file in one.iterdir()] for one in tmp_path.iterdir()] == [
        ["secret.key"]
    ] * 10
