"""The synchronous and the asynchronous client."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any

import httpx

from ._encoding import Decoder, T, present
from .errors import decode_response
from .generated.operations import AsyncOperations, Operations
from .retries import AsyncRetryTransport, Retries, RetryTransport
from .tokens import AsyncTokenAuth, AsyncTokenSource, TokenAuth, TokenSource

# Longer than the longest execution of a function.
TIMEOUT = 35.0

IDEMPOTENCY_KEY = "Idempotency-Key"


class Client(Operations):
    """A client of the admin API, which several threads can use.

    Args:
        url: The API's URL, which is the output `ApiUrl` of the stack.
        token: The source of access tokens. Public operations need none.
        max_retries: The maximum number of retries of a request.
        max_delay: The longest delay before a retry in seconds. If `Retry-After` is longer, the error is raised at once.
        sleep: Waits the given number of seconds before a retry.
        timeout: The timeout of each step of a request in seconds.
        transport: Sends the requests, e.g. `httpx.HTTPTransport(proxy=…)`.
    """

    def __init__(
        self,
        url: str,
        token: TokenSource | None = None,
        *,
        max_retries: int = 4,
        max_delay: float = 30.0,
        sleep: Callable[[float], object] = time.sleep,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout,
            transport=RetryTransport(transport or httpx.HTTPTransport(), Retries(max_retries, max_delay), sleep),
        )
        self._auth = None if token is None else TokenAuth(self._http, token)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        decode: Decoder[T],
        *,
        public: bool = False,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        request = _build(self._http, method, path, parameters, headers, body)
        return decode_response(self._http.send(request, auth=None if public else self._auth), decode)


class AsyncClient(AsyncOperations):
    """A client of the admin API for `asyncio`. The arguments are those of `Client`."""

    def __init__(
        self,
        url: str,
        token: AsyncTokenSource | None = None,
        *,
        max_retries: int = 4,
        max_delay: float = 30.0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        timeout: float = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=timeout,
            transport=AsyncRetryTransport(
                transport or httpx.AsyncHTTPTransport(), Retries(max_retries, max_delay), sleep
            ),
        )
        self._auth = None if token is None else AsyncTokenAuth(self._http, token)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        decode: Decoder[T],
        *,
        public: bool = False,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        request = _build(self._http, method, path, parameters, headers, body)
        return decode_response(await self._http.send(request, auth=None if public else self._auth), decode)


def _build(
    http: httpx.Client | httpx.AsyncClient,
    method: str,
    path: str,
    parameters: Mapping[str, Any] | None,
    headers: Mapping[str, str | None] | None,
    body: Mapping[str, Any] | None,
) -> httpx.Request:
    sent = present(headers or {})
    # With a key, the creation can be retried.
    if headers is not None and IDEMPOTENCY_KEY in headers:
        sent.setdefault(IDEMPOTENCY_KEY, str(uuid.uuid4()))
    return http.build_request(
        method,
        path,
        params=None if parameters is None else present(parameters),
        headers=sent,
        json=None if body is None else present(body),
    )
