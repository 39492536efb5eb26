"""The errors of the client. Their texts contain no tokens, passwords or request bodies."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from attrs import define

from ._encoding import MALFORMED, Decoder, T
from .generated.models import Challenge, ErrorCode, GatewayMessage, Problem


class PoolkeeperError(Exception):
    """The base class of all errors of the client, except those of `httpx` for a missing response."""


@define
class ProblemError(PoolkeeperError):
    """A problem document (RFC 9457) of the admin API.

    Attributes:
        status: The HTTP status.
        problem: The problem document.
        retry_after: The header `Retry-After` in seconds, if present.
    """

    status: int
    problem: Problem
    retry_after: float | None = None

    @property
    def code(self) -> ErrorCode:
        """The stable code. A later version of the API can return codes that `ErrorCode` does not contain."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """The reason in this case. The wording can change."""
        return self.problem.detail

    @property
    def field(self) -> str | None:
        """The invalid part of the request."""
        return self.problem.field

    @property
    def completed(self) -> Sequence[str]:
        """The steps of the request that took effect before another step failed."""
        return self.problem.completed or ()

    @property
    def failed(self) -> str | None:
        """The step that failed after other steps took effect."""
        return self.problem.failed

    @property
    def next_actions(self) -> Sequence[str]:
        """The requests to send next, in order."""
        return self.problem.next_actions or ()

    @property
    def differing(self) -> Sequence[str]:
        """The fields in which the existing user differs from the request."""
        return self.problem.differing or ()

    @property
    def request_id(self) -> str:
        """The request id, as in the logs."""
        return self.problem.request_id

    def __str__(self) -> str:
        return f"{self.code} ({self.status}): {self.detail} (request {self.request_id})"


@define
class GatewayError(PoolkeeperError):
    """A response of API Gateway itself, such as `{"message": "Unauthorized"}`.

    Attributes:
        status: The HTTP status.
        message: The message of API Gateway, or the reason phrase of the status.
        retry_after: The header `Retry-After` in seconds, if present.
    """

    status: int
    message: str
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


@define
class ChallengeRequired(PoolkeeperError):
    """The sign-in requires the answer to a challenge (`answer_challenge`).

    Attributes:
        challenge: The challenge.
    """

    challenge: Challenge

    def __str__(self) -> str:
        return f"the sign-in requires the challenge {self.challenge.name}"


def decode_response(response: httpx.Response, decode: Decoder[T]) -> T:
    """Decodes the body of a successful response.

    Raises:
        ProblemError: The response is a problem document.
        GatewayError: The response is another error, or its body has another form.
    """
    if not response.is_success:
        raise error_of(response)
    try:
        return decode(response.json() if response.content else None)
    except MALFORMED:
        pass
    # Raised without the context, which can contain the body.
    raise GatewayError(response.status_code, "the response has an unexpected form")


def error_of(response: httpx.Response) -> ProblemError | GatewayError:
    """The error of an unsuccessful response."""
    status, retry_after = response.status_code, seconds_of(response)
    try:
        return ProblemError(status, Problem.from_dict(response.json()), retry_after)
    except MALFORMED:
        pass
    try:
        return GatewayError(status, GatewayMessage.from_dict(response.json()).message, retry_after)
    except MALFORMED:
        return GatewayError(status, response.reason_phrase or "no reason", retry_after)


def seconds_of(response: httpx.Response) -> float | None:
    """The header `Retry-After`, unless it is absent or contains a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
