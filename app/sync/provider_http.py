"""The HTTP session in which providers are asked for tokens: verified TLS, and an end in time."""

import ssl
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from app.sync.connect import new_tls_context

TIMEOUT_SECONDS = 15.0


def session(ca_file: Path | None) -> requests.Session:
    """A session that trusts `ca_file` besides the usual authorities, and follows no redirects.

    A redirect of the token endpoint would carry code or refresh token elsewhere. The TLS context
    is its own: urllib3 puts other authorities and HTTP's ALPN into what it is given.
    """
    made = requests.Session()
    made.max_redirects = 0
    made.mount("https://", _Adapter(new_tls_context(verify=True, ca_file=ca_file)))
    return made


class _Adapter(HTTPAdapter):
    """Requests has no timeout for a whole session, and takes its authorities from certifi alone."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **given: Any) -> None:  # noqa: ANN401 - passed on
        super().init_poolmanager(*args, **given, ssl_context=self._context)

    def proxy_manager_for(self, *args: Any, **given: Any) -> Any:  # noqa: ANN401 - passed on
        return super().proxy_manager_for(*args, **given, ssl_context=self._context)

    def send(self, *args: Any, **given: Any) -> Any:  # noqa: ANN401 - passed on
        given["timeout"] = given.get("timeout") or TIMEOUT_SECONDS
        return super().send(*args, **given)
