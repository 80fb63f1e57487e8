"""The short run of `make soak`: the real worker, killed while its mailbox changes."""

from pathlib import Path

import pytest

from tests.dovecot import is_installed
from tests.sync.soak import soak


@pytest.mark.dovecot
def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    if not is_installed():
        pytest.skip("Dovecot is not installed here (Debian, Ubuntu: apt install dovecot-imapd)")

    done = soak(4, tmp_path, seed=35189, tell=lambda text: None)

    assert done.is_good, done
    assert done.meanwhile >= done.kills
