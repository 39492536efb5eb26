"""Prints keys and access tokens for the back ends in examples/, as JSON.

Arguments: the issuer, the client id, and the user pool's own key set, which the printed key set includes.
"""

import base64
import json
import sys
import time

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

issuer, client_id, pool_keys = sys.argv[1:]
key, unknown_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode_number(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def token(signing_key=key, **changes) -> str:
    now = int(time.time())
    claims = {
        "sub": "0f7a2b5e-7c1d-4f0e-9d53-8a7b6c5d4e3f",
        "iss": issuer,
        "token_use": "access",
        "client_id": client_id,
        "username": "signed",
        "origin_jti": "9a1d2c3b-4e5f-4061-8273-94a5b6c7d8e9",
        "iat": now - 3600,
        "exp": now + 3600,
    } | changes
    parts = [{"alg": "RS256", "kid": "test"}, claims]
    signed = ".".join(encode(json.dumps(part).encode()) for part in parts)
    signature = signing_key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
    return f"{signed}.{encode(signature)}"


public = key.public_key().public_numbers()
jwk = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "test"}
jwk |= {"n": encode_number(public.n), "e": encode_number(public.e)}
now = int(time.time())
print(
    json.dumps(
        {
            "jwks": {"keys": [jwk, *json.loads(pool_keys)["keys"]]},
            "valid": token(),
            "invalid": {
                "expired": token(exp=now - 60),
                "of an unknown key": token(unknown_key),
                "of another issuer": token(iss=f"{issuer}x"),
                "of another client": token(client_id="other"),
                "an ID token": token(token_use="id", aud=client_id),
                "unsigned": token().rpartition(".")[0] + ".",
            },
        }
    )
)
