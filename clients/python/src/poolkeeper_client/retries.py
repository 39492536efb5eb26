"""Transports that repeat requests."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import httpx
from attrs import define

from .errors import GatewayError, error_of

BASE_DELAY = 0.5

# No response, although the request may have been executed.
NO_RESPONSE = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


@define(frozen=True)
class Retries:
    """Which requests are repeated.

    Attributes:
        max_retries: The maximum number of repetitions of a request.
        max_delay: The longest delay in seconds. If `Retry-After` is longer, the error is raised at once.
    """

    max_retries: int
    max_delay: float

    def delay(self, request: httpx.Request, response: httpx.Response | None, retries: int) -> float | None:
        """The seconds until the next repetition, or `None` if the request is not repeated."""
        if retries >= self.max_retries or not _is_repeatable(request, response):
            return None
        if response is not None and (retry_after := error_of(response).retry_after) is not None:
            return retry_after if retry_after <= self.max_delay else None
        return random.uniform(0, min(self.max_delay, BASE_DELAY * 2**retries))


def _is_repeatable(request: httpx.Request, response: httpx.Response | None) -> bool:
    is_idempotent = request.method == "GET" or "Idempotency-Key" in request.headers
    if response is None:
        return is_idempotent
    if response.status_code not in (429, 500, 502, 503, 504):
        return False
    error = error_of(response)
    is_of_gateway = isinstance(error, GatewayError)
    if response.status_code == 429 or (response.status_code == 503 and not is_of_gateway):
        return isinstance(error, GatewayError) or error.problem.completed is None
    # API Gateway itself responds if the function fails or exceeds the timeout.
    is_ambiguous = response.status_code in (502, 504) or (response.status_code in (500, 503) and is_of_gateway)
    return is_idempotent and is_ambiguous


class RetryTransport(httpx.BaseTransport):
    """A transport that repeats requests of another transport."""

    def __init__(self, transport: httpx.BaseTransport, retries: Retries, sleep: Callable[[float], object]) -> None:
        self._transport = transport
        self._retries = retries
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        retries = 0
        while True:
            try:
                response = self._transport.handle_request(request)
                response.read()
                delay = self._retries.delay(request, response, retries)
                if delay is None:
                    return response
            except NO_RESPONSE:
                delay = self._retries.delay(request, None, retries)
                if delay is None:
                    raise
            self._sleep(delay)
            retries += 1

    def close(self) -> None:
        self._transport.close()


class AsyncRetryTransport(httpx.AsyncBaseTransport):
    """An asynchronous transport that repeats requests of another transport."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        retries: Retries,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._transport = transport
        self._retries = retries
        self._sleep = sleep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        retries = 0
        while True:
            try:
                response = await self._transport.handle_async_request(request)
                await response.aread()
                delay = self._retries.delay(request, response, retries)
                if delay is None:
                    return response
            except NO_RESPONSE:
                delay = self._retries.delay(request, None, retries)
                if delay is None:
                    raise
            await self._sleep(delay)
            retries += 1

    async def aclose(self) -> None:
        await self._transport.aclose()
