"""A client of Poolkeeper's admin API."""

from .client import AsyncClient, Client
from .errors import ChallengeRequired, GatewayError, PoolkeeperError, ProblemError
from .generated import models
from .tokens import AsyncTokenSource, SignIn, TokenSource

__all__ = [
    "AsyncClient",
    "AsyncTokenSource",
    "ChallengeRequired",
    "Client",
    "GatewayError",
    "PoolkeeperError",
    "ProblemError",
    "SignIn",
    "TokenSource",
    "models",
]
