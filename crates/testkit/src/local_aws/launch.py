"""Runs the command in its arguments and stops it with all its children when the parent process ends.

The first argument is the directory to delete afterwards. Standard input is a pipe from the parent. It closes when the parent drops
it or ends in any way. The exit status is that of the command.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading

folder, command = sys.argv[1], sys.argv[2:]


def end_with_launcher():
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


# A separate session, so that one signal to the process group stops the command and its children.
child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_launcher)

parent_is_gone = threading.Event()


def end(*_):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # No process of the group is running. macOS returns EPERM if killed processes have not been reaped.
        pass


def end_with_parent():
    while os.read(0, 1):
        pass
    parent_is_gone.set()
    end()


for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(name, end)
threading.Thread(target=end_with_parent, daemon=True).start()
status = child.wait()
end()
# If the command exited by itself, the parent reads its log first.
if parent_is_gone.is_set():
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(status if status >= 0 else 128 - status)
