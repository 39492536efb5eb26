"""The URL of the API, and the commands that get the first token."""

import re
import shlex

FIRST_ADMIN = "admin"
GUIDE = "docs/operations/first-administrator.md"
SIGN_IN = """{{"username": {username}, "password": getpass.getpass("Temporary password: ")}}"""
READ_SESSION = """import json, sys; print(json.load(sys.stdin)["challenge"]["session"])"""
NEW_PASSWORD = (
    """{{"challenge": "NEW_PASSWORD_REQUIRED", "username": {username}, "session": os.environ["SESSION"], """
    """"new_password": getpass.getpass("New password: ")}}"""
)
# Prints settings for `curl --config`, because other users of the machine can read the arguments of a process.
DATA = """import getpass, json, os; print("data = " + json.dumps(json.dumps({body})))"""
CREDENTIALS = (
    """; print("user = " + json.dumps(os.environ["AWS_ACCESS_KEY_ID"] + ":" + os.environ["AWS_SECRET_ACCESS_KEY"]))"""
    """; print("header = " + json.dumps("X-Amz-Security-Token: " + os.environ.get("AWS_SESSION_TOKEN", "")))"""
)
READ_TOKEN = """import json, sys; print(json.load(sys.stdin)["tokens"]["access_token"])"""


def python(program):
    return f"python3 -c {shlex.quote(program)}"


def json_string(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def username(values):
    return values["FirstAdminEmail"] if values["SignIn"] == "email" else FIRST_ADMIN


def request(body, route, url, values, region):
    """Sends a body to a route under /v1/auth, signed if the API requires that."""
    is_signed = values["AuthAuthorization"] == "AWS_IAM"
    program = DATA.format(body=body) + (CREDENTIALS if is_signed else "")
    signature = f" --aws-sigv4 aws:amz:{region}:execute-api" if is_signed else ""
    return f"{python(program)} \\\n  | curl -fsS -H 'Content-Type: application/json'{signature} -K - {url}/v1/auth/{route} \\\n"


def commands(url, values, region):
    """Three commands, each for a POSIX shell. Passwords are prompted for, so that no shell history contains them."""
    name = json_string(username(values))
    sign_in = request(SIGN_IN.format(username=name), "sign-in", url, values, region)
    new_password = request(NEW_PASSWORD.format(username=name), "challenge", url, values, region)
    return [
        f"SESSION=$({sign_in}  | {python(READ_SESSION)})",
        f'TOKEN=$(SESSION="$SESSION" {new_password}  | {python(READ_TOKEN)})',
        f"""printf 'header = "Authorization: Bearer %s"' "$TOKEN" | curl -fsS -K - {url}/v1/me""",
    ]


TITLES = (
    "Sign in with the temporary password, which keeps the session of the challenge in SESSION:",
    "Set a new password, which keeps the access token in TOKEN:",
    "Read your own permissions:",
)


def first_token(url, values, region):
    lines = ["Get the first token with these three commands. The first two ask for a password.", ""]
    if values["AuthAuthorization"] == "AWS_IAM":
        lines[:0] = ["AuthAuthorization=AWS_IAM requires signed requests. First set the variables of your credentials:", ""]
        lines[2:2] = ['eval "$(aws configure export-credentials --format env)"', ""]
    for number, (title, command) in enumerate(zip(TITLES, commands(url, values, region)), 1):
        lines += [f"{number}. {title}", "", command, ""]
    if values.get("Mfa") == "required":
        lines += ["With Mfa=required, the second command fails, because its response is the challenge MFA_SETUP (docs/second-factors.md).", ""]
    return lines + [f"{GUIDE} explains the requests."]


def without_administrator(stack):
    return [
        "No administrator exists, so no user can call the admin routes. To create the first administrator:",
        "",
        f"make deploy STACK={stack} PARAMETERS='FirstAdminEmail=ops@example.com'",
        "",
        f"To use an existing user instead, add the user to a group with permissions ({GUIDE}).",
    ]


def message(values, endpoint):
    """Where the temporary password is. An emulator keeps mails instead of sending them."""
    if endpoint:
        name = re.sub(r"([.*^$\[\]\\])", r"\\\1", username(values))
        pattern = shlex.quote(f'Your username is {name} [^"]*')
        return f"curl -s {endpoint}/_ministack/ses/messages | grep -o {pattern}"
    return f"in a message to {values['FirstAdminEmail']}, valid for 7 days"


def next_steps(stack, url, values, region, endpoint, is_new):
    """The lines after a deployment. `endpoint` is that of an emulator, `is_new` is whether the first administrator is new."""
    lines = ["", f"  API            {url}"]
    if not values["FirstAdminEmail"]:
        return lines + [""] + without_administrator(stack)
    lines.append(f"  administrator  {username(values)}")
    if not is_new:
        return lines + ["", f"To get a token, sign in as an administrator ({GUIDE})."]
    return lines + [f"  password       {message(values, endpoint)}", ""] + first_token(url, values, region)
