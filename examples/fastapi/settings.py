"""The settings, from environment variables. README.md describes them."""

import os

REQUIRED = (
    "ADMIN_PASSWORD",
    "ADMIN_USERNAME",
    "API",
    "AWS_REGION",
    "BACKEND_CLIENT_ID",
    "USER_POOL_ID",
    "WEB_CLIENT_ID",
)
if missing := [name for name in REQUIRED if not os.environ.get(name)]:
    raise RuntimeError(f"missing environment variables: {', '.join(missing)}")

ADMIN_PASSWORD = os.environ["ADMIN_PASSWORD"]
ADMIN_USERNAME = os.environ["ADMIN_USERNAME"]
API = os.environ["API"]
AWS_REGION = os.environ["AWS_REGION"]
CLIENT_IDS = {os.environ["BACKEND_CLIENT_ID"], os.environ["WEB_CLIENT_ID"]}
USER_POOL_ID = os.environ["USER_POOL_ID"]

ISSUER = f"https://cognito-idp.{AWS_REGION}.amazonaws.com/{USER_POOL_ID}"
JWKS_URL = os.environ.get("JWKS_URL") or f"{ISSUER}/.well-known/jwks.json"

SESSION_GATE = os.environ.get("SESSION_GATE") or "true"
if SESSION_GATE not in ("true", "false"):
    raise RuntimeError("SESSION_GATE must be true or false")
