"""Authenticates requests by their access token: first its signature and claims, then whether its session has ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import httpx
import jwt
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session
from fastapi import Depends, Header

from errors import Refusal
from settings import API, AWS_REGION, CLIENT_IDS, ISSUER, JWKS_URL, SESSION_GATE

INTROSPECTION = f"{API}/v1/auth/introspect"

TIMEOUT = 10

# Caches the keys.
keys = jwt.PyJWKClient(JWKS_URL, lifespan=3600, timeout=TIMEOUT)
credentials = Session().get_credentials()
http = httpx.Client(timeout=TIMEOUT)


@dataclass
class User:
    """The user who sent the request."""

    token: str = field(repr=False)
    sub: str
    username: str
    groups: list[str]


def authenticate(authorization: Annotated[str, Header()] = "") -> User:
    """Returns the user, or rejects the request."""
    match = re.fullmatch(r"Bearer (\S+)", authorization, re.IGNORECASE)
    if match is None:
        raise Refusal(401, "unauthenticated", "Sign in first")
    token = match[1]
    claims = _verify(token)
    if SESSION_GATE == "true" and not _is_active(token):
        raise Refusal(401, "unauthenticated", "The session has ended")
    return User(token, claims["sub"], claims["username"], claims.get("cognito:groups", []))


CurrentUser = Annotated[User, Depends(authenticate)]


def require_group(group: str) -> Callable[[User], None]:
    """A dependency that rejects users who are not in the group."""

    def check(user: CurrentUser) -> None:
        if group not in user.groups:
            raise Refusal(403, "forbidden", "Access is denied")

    return check


def _verify(token: str) -> dict:
    try:
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token).key,
            algorithms=["RS256"],
            issuer=ISSUER,
            options={"require": ["exp", "iss", "sub", "token_use", "client_id", "username"]},
        )
        # An access token has no `aud`.
        if claims["token_use"] != "access" or claims["client_id"] not in CLIENT_IDS:
            raise jwt.InvalidTokenError("the token is no access token of these clients")
    except jwt.PyJWKClientConnectionError as error:
        raise Refusal(503, "unavailable", "Try again later") from error
    except jwt.PyJWTError:
        raise Refusal(401, "unauthenticated", "The access token is not valid") from None
    return claims


def _is_active(token: str) -> bool:
    """Asks the session gate whether the token's session has ended. Only the service's AWS principal can ask."""
    request = http.build_request("POST", INTROSPECTION, data={"token": token})
    signed = AWSRequest("POST", INTROSPECTION, {"Content-Type": request.headers["Content-Type"]}, request.content)
    try:
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", AWS_REGION).add_auth(signed)
        response = http.post(INTROSPECTION, content=request.content, headers=dict(signed.headers))
        return response.raise_for_status().json()["active"] is True
    except Exception as error:
        raise Refusal(503, "unavailable", "Try again later") from error
