"""Starts the emulator ministack for a rehearsal. It stops with this process."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from deploy import Refused

LAUNCHER = Path(__file__).resolve().parents[3] / "testkit/src/local_aws/launch.py"
REGION = "us-east-1"
HOST = "127.0.0.1"
PROBE_SECONDS = 0.2


def credentials(port):
    """The variables of the emulator. They hide the user's configuration, so that a rehearsal cannot change a real account."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_POLL_DELAY": "0.5",
        "NO_PROXY": HOST,
    }


def environment(port):
    """The environment of a rehearsal, without the user's settings for AWS."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**others, **credentials(port)}


def server_environment(port, folder):
    """As `LocalAws` in crates/testkit/src/local_aws/environment.rs, with checks of signatures and permissions."""
    for name in ("home", "tmp", "state"):
        (folder / name).mkdir()
    return {
        **credentials(port),
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "AUTH": "true",
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "STATE_DIR": str(folder / "state"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def free_port():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def responds(port):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}/_ministack/health", timeout=PROBE_SECONDS * 10):
            return True
    except OSError:
        return False


def wait_until_healthy(server, port, log):
    while not responds(port):
        try:
            server.wait(PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        raise Refused(f"the emulator did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


@contextlib.contextmanager
def started():
    """A running emulator, with its variables in the environment of this process."""
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="poolkeeper-"))
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as output:
        # A separate session, so that Ctrl-C reaches only this process, which stops the emulator.
        server = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER.read_text(encoding="utf-8"), str(folder), sys.executable, "-m", "ministack"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=server_environment(port, folder),
            start_new_session=True,
        )
    try:
        wait_until_healthy(server, port, log)
        replaced = environment(port)
        os.environ.clear()
        os.environ.update(replaced)
        yield server
    finally:
        # The closed pipe makes the launcher stop the emulator and delete its directory.
        server.stdin.close()
        server.wait()
