"""Maps errors to responses for users. The log contains the other details."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from poolkeeper_client import GatewayError, ProblemError

log = logging.getLogger("uvicorn.error")


class Refusal(Exception):
    """An error response."""

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


# The errors of the API that a user can correct. The codes are stable, and the texts are those of this service.
USER_ERRORS = {
    "alias-exists": (409, "Another account has this address"),
    "code-expired": (422, "The code has expired"),
    "code-mismatch": (422, "The code is wrong"),
    "invalid-credentials": (401, "The user name or password is wrong, or the session has ended"),
    "invalid-password": (422, "The password does not meet the rules"),
    "invalid-request": (400, "The request is not valid"),
    "password-reset-required": (403, "Set a new password first"),
    "user-exists": (409, "The user name is taken"),
    "user-not-confirmed": (403, "Confirm the account with the code first"),
}

ADMIN_ERRORS = {"alias-exists", "invalid-request", "throttled", "user-exists"}


@contextmanager
def admin_errors() -> Iterator[None]:
    """Contains requests of the administrator. Errors of the administrator's own account do not reach users."""
    try:
        yield
    except Exception as error:
        if isinstance(error, ProblemError) and error.code in ADMIN_ERRORS:
            raise
        raise _internal() from error


def _internal() -> Refusal:
    return Refusal(500, "internal", "Try again later")


def _refusal_of(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, RequestValidationError):
        return Refusal(400, "invalid-request", "The request is not valid")
    if isinstance(error, ProblemError) and error.code == "sign-up-refused":
        # The fixed sentence of the sign-up policy is meant for users.
        return Refusal(422, error.code, error.detail)
    if isinstance(error, ProblemError) and error.code in USER_ERRORS:
        status, message = USER_ERRORS[error.code]
        return Refusal(status, error.code, message)
    if isinstance(error, (ProblemError, GatewayError)) and error.status == 429:
        return Refusal(429, "throttled", "Too many requests", error.retry_after)
    refusal = _internal()
    refusal.__cause__ = error
    return refusal


def answer_with_error(_request: Request, error: Exception) -> JSONResponse:
    """Responds with the error."""
    refusal = _refusal_of(error)
    if refusal.__cause__ is not None:
        log.error("the request failed", exc_info=refusal.__cause__)
    headers = {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    return JSONResponse({"code": refusal.code, "message": str(refusal)}, refusal.status, headers)
