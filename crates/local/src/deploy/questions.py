"""Asks for the parameters of a first deployment."""

import os
import select
import signal
import sys
import textwrap

from deploy import Refused
from deploy.checks import check_names, check_rules
from deploy.parameters import expect_no_backslash
from deploy.template import allowed_values, defaults, expect_value, joined

WIDTH = 100
ASKED = ("PoolName", "SelfSignUp", "AutoConfirm", "TrustedEmailDomains", "AllowedEmailDomains", "FirstAdminEmail", "AlarmEmail")
# When a question makes sense, by parameter. Other questions always do.
CONDITIONS = {
    "TrustedEmailDomains": ("AutoConfirm", "trusted-domains"),
    "AllowedEmailDomains": ("SelfSignUp", "true"),
}
INTRODUCTIONS = {
    "AutoConfirm": "Which users the pre sign-up trigger confirms, so that they can sign in immediately after signing up.",
    "FirstAdminEmail": (
        "E-mail address of the first administrator, who receives a temporary password. If empty, no administrator exists, "
        "so no user has access to the admin routes until you deploy again with FirstAdminEmail."
    ),
}
# One line for each value.
VALUES = {
    "AutoConfirm": {
        "everyone": "every user who signs up",
        "trusted-domains": "users who enter an e-mail address of TrustedEmailDomains, without any check that they own the address",
        "invited": "users who present an invitation from POST /v1/invitations",
        "nobody": "no user; users confirm with a code, or an administrator confirms them",
    },
}


def read_line(prompt):
    """Like `input`, which can lose a Ctrl-C that arrives just after the prompt."""
    print(prompt, end="", flush=True)
    interrupted, signalled = os.pipe()
    os.set_blocking(signalled, False)
    previous = signal.set_wakeup_fd(signalled)
    try:
        select.select([sys.stdin, interrupted], [], [])
        line = sys.stdin.readline()
    finally:
        signal.set_wakeup_fd(previous)
        os.close(interrupted)
        os.close(signalled)
    if not line:
        raise EOFError
    return line.strip()


def ask(label, default, check):
    """Repeats a question until the answer passes the check. Enter selects the default, if there is one."""
    shown = "" if default is None else f" [{default or 'empty'}]"
    while True:
        answer = read_line(f"{label}{shown}: ") or default or ""
        try:
            check(answer)
            return answer
        except Refused as refused:
            print(f"  {refused}")


def introduction(name, parameter):
    text = INTRODUCTIONS.get(name, parameter.get("Description", ""))
    lines = textwrap.wrap(text, WIDTH)
    if name in VALUES:
        width = max(map(len, VALUES[name]))
        return lines + [f"  {value:{width}}  {meaning}" for value, meaning in VALUES[name].items()]
    values = allowed_values(parameter)
    return lines + ([f"  {joined(values)}"] if values else [])


def ask_for(name, template, answers, unsettled, default):
    """Asks for one parameter. `unsettled` are the parameters that are asked for later."""

    def check(answer):
        expect_no_backslash(name, answer)
        expect_value(template, name, answer)
        values = {**defaults(template), **answers, name: answer}
        check_names({name: answer})
        check_rules(template, values, unsettled)

    print("\n" + "\n".join(introduction(name, template["Parameters"][name])))
    return ask(name, default, check)


def ask_for_missing(template, given, names, suggested):
    """Asks for these parameters, except for given ones. `suggested` overrides defaults. Returns the answers."""
    pending = [name for name in names if name in template["Parameters"] and name not in given]
    # What is given can already contradict itself.
    check_rules(template, {**defaults(template), **given}, frozenset(pending))
    answers = {}
    while pending:
        name = pending.pop(0)
        values = {**defaults(template), **given, **answers}
        other, value = CONDITIONS.get(name, (None, None))
        if values.get(other) != value:
            continue
        if not answers:
            print("\nEnter selects the value in brackets. Ctrl-C stops, and deploys nothing.")
        default = suggested.get(name, values.get(name))
        answers[name] = ask_for(name, template, {**given, **answers}, frozenset(pending), default)
    return answers


def ask_for_new_stack(template, given, stack):
    required = [name for name, parameter in template["Parameters"].items() if "Default" not in parameter]
    names = [*ASKED, *(name for name in required if name not in ASKED)]
    return ask_for_missing(template, given, names, {"PoolName": suggested_pool(template, stack)})


def suggested_pool(template, stack):
    """The name of the stack, because each stack needs its own pool, or the template's default."""
    try:
        expect_value(template, "PoolName", stack)
        return stack
    except Refused:
        return template["Parameters"]["PoolName"]["Default"]


def confirm(question):
    return read_line(f"\n{question} [y/N] ").lower() in ("y", "yes")
