"""The steps of `make deploy`: questions, checks, change set, deployment, and the commands for the first token."""


class Refused(Exception):
    """Wrong input or an account that is not ready. The message says what is wrong and what is expected."""
