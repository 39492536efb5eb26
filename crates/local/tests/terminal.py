"""Runs a command in a pseudo-terminal and answers its prompts: terminal.py ANSWERS COMMAND…

ANSWERS is a JSON list of [PROMPT, ANSWER]. Each answer is sent after its prompt, in this order. Another prompt receives Ctrl-D. The
output is copied to standard output, and the exit status is that of the command, or 99 if a prompt never appeared. A line on standard
input sends Ctrl-C.
"""

import json
import os
import pty
import select
import sys
import termios

CTRL_C, CTRL_D = b"\x03", b"\x04"
PROMPT_ENDS = (b": ", b"[y/N] ")
# Ctrl-C and Ctrl-D, which need no Enter.
CONTROL = ("\x03", "\x04")


def without_echo(terminal):
    """Answers do not appear in the output."""
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux reports the end of the command as an error.
        return b""


def converse(terminal, answers):
    unread, inputs = b"", [terminal, 0]
    while True:
        ready, _, _ = select.select(inputs, [], [])
        if 0 in ready:
            if os.read(0, 65536):
                os.write(terminal, CTRL_C)
            else:
                inputs.remove(0)
        if terminal not in ready:
            continue
        output = read(terminal)
        if not output:
            return
        sys.stdout.buffer.write(output.replace(b"\r\n", b"\n"))
        sys.stdout.buffer.flush()
        unread += output
        if answers and answers[0][0].encode() in unread:
            _, answer = answers.pop(0)
            os.write(terminal, answer.encode() if answer in CONTROL else f"{answer}\n".encode())
            unread = b""
        elif unread.endswith(PROMPT_ENDS):
            os.write(terminal, CTRL_D)


answers, command = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
without_echo(terminal)
converse(terminal, answers)
_, status = os.waitpid(child, 0)
if answers:
    print(f"\nnever asked for: {answers}")
    sys.exit(99)
sys.exit(os.waitstatus_to_exitcode(status))
