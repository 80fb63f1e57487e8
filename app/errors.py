"""What can go wrong, in the product's own words. Owns the error types; knows nothing else."""


class LetterbookError(Exception):
    """The root of every error raised on purpose: a sentence for people."""


class NotFound(LetterbookError):
    """Absent, or not for this viewer: the two are never told apart."""


class Invalid(LetterbookError):
    """Input that a person can mend.

    `field` names the form field; `reason` is a sentence for people.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


class Forbidden(LetterbookError):
    """Known to the viewer, but not allowed to him: says what right is missing."""


class Conflict(LetterbookError):
    """Somebody or something else was first: another worker, another form, an older program."""


class AuthFailed(LetterbookError):
    """A wrong name or password, here or on a mail server."""


class SignInAgain(AuthFailed):
    """An oAuth sign-in at the provider that is missing or no longer valid.

    Only a person can renew it, on the account's page; there is no use in trying again before.
    """


class RemoteError(LetterbookError):
    """A mail server that cannot be used now.

    `is_retryable` is False where only a person can help (certificate, settings).
    """

    def __init__(self, reason: str, *, is_retryable: bool = True) -> None:
        super().__init__(reason)
        self.is_retryable = is_retryable


class Corrupt(LetterbookError):
    """Stored bytes that are not what was stored."""


class Busy(LetterbookError):
    """Somebody else writes for longer than anybody waits: nothing was changed."""


class OutOfSpace(LetterbookError):
    """A full disk: what was written before stays, and nothing is half written."""
