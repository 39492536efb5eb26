"""An HTTPS endpoint from which users move to the user pool at their first sign-in (docs/operations/migrate-users.md).

Needs only Python. Replace `USERS` by a query of your own directory. Environment variables:

MIGRATION_SECRET  the secret in the SSM parameter, e.g. whsec_…
PORT              the port
CERTIFICATE, KEY  PEM files
"""

import base64
import hashlib
import hmac
import json
import os
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIGNING_KEY = base64.b64decode(os.environ["MIGRATION_SECRET"].removeprefix("whsec_"))
MAX_BYTES = 64 * 1024


def hash_of(password):
    return hashlib.scrypt(password.encode(), salt=b"one per user", n=2**14, r=8, p=1)


USERS = {
    "mia": {
        "password": hash_of("Correct-Horse-1"),
        # Enabled, confirmed, and without a temporary password.
        "active": True,
        "second_factor": False,
        "attributes": {"email": "mia@example.com", "email_verified": "true", "name": "Mia"},
    },
    "max": {
        "password": hash_of("Correct-Horse-1"),
        "active": True,
        "second_factor": True,
        "attributes": {"email": "max@example.com", "email_verified": "true"},
    },
}
NOBODY = {"password": hash_of("")}


def is_signed(headers, body):
    """Whether Poolkeeper sent the request in the last five minutes. Libraries: https://www.standardwebhooks.com"""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    signed = f"{identifier}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(SIGNING_KEY, signed, "sha256")).decode()
    return any(hmac.compare_digest(expected, one) for one in headers.get("webhook-signature", "").split())


def user_for(request):
    """The user of a request. None for an unknown user and for a wrong password."""
    name = request["data"]["username"]
    user = USERS.get(name)
    if request["type"] == "user-migration.sign-in":
        # Also hashes the password for an unknown user, so that the time does not depend on the user.
        matches = hmac.compare_digest(hash_of(request["data"]["password"]), (user or NOBODY)["password"])
        user = user if matches else None
    if user is None:
        return None
    return {
        "username": name,
        "active": user["active"],
        "second_factor": user["second_factor"],
        "attributes": user["attributes"],
    }


class Handler(BaseHTTPRequestHandler):
    # Seconds without data from the client, including the TLS handshake.
    timeout = 5

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass  # The client broke off.

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length) if 0 <= length <= MAX_BYTES else b""
        if not is_signed(self.headers, body):
            self.send_error(401)
            return
        answer = json.dumps({"user": user_for(json.loads(body))}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Logs nothing, because requests contain passwords."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
    # Each thread makes the handshake of its connection. Otherwise, one stalled handshake would block all clients.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(f"https://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
