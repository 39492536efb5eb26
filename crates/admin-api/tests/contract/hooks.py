"""Adds what the document does not express, and excludes requests that `schemathesis.toml` cannot exclude."""

import schemathesis


@schemathesis.hook
def before_load_schema(context, schema):
    """Requires that each problem has a documented code, its status and `Retry-After`.

    The document itself does not require this, for the sake of client generators and of responses of API Gateway itself.
    """
    for name, response in schema["components"]["responses"].items():
        content = response["content"]["application/problem+json"]
        own = {"status": {"const": int(name.split(".")[0])}, "code": {"enum": list(content["examples"])}}
        content["schema"] = {"allOf": [content["schema"], {"properties": own}]}
        for header in response.get("headers", {}).values():
            header["required"] = True


@schemathesis.hook
def filter_case(context, case):
    """Excludes path parameters with an encoded slash or question mark.

    API Gateway decodes the path. A slash then separates segments and a question mark cuts the path, so the request addresses
    another operation. The API addresses users with such names by their `sub`.
    """
    values = (case.path_parameters or {}).values()
    return not any(sign in str(value) for value in values for sign in ("/", "?", "%2F", "%2f", "%3F", "%3f"))
