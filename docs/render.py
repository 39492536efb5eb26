"""Renders an OpenAPI document as one HTML page: `render.py openapi.json page.html`.

The page contains the document and Redoc, and works without a network. Its content security policy blocks every request.
"""

import html
import importlib.util
import json
import re
import sys
from pathlib import Path

# A package for Django, which is not installed. The package is located without importing it.
PACKAGE = "drf_spectacular_sidecar"
SCRIPT = "static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
# The logo that Redoc loads, and omits if it cannot.
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
LICENSES = ("static/drf_spectacular_sidecar/redoc/LICENSE", SCRIPT + ".LICENSE.txt")

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
CODE_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"

OPTIONS = {
    # The document is in the repository.
    "hideDownloadButtons": True,
    # The server of the document is an example.
    "hideHostname": True,
    "expandResponses": "200,201",
    "sortRequiredPropsFirst": True,
    "nativeScrollbars": True,
    "theme": {
        "sidebar": {"width": "300px"},
        "typography": {
            "fontFamily": FONT,
            "headings": {"fontFamily": FONT},
            "code": {"fontFamily": CODE_FONT},
        },
    },
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; script-src 'unsafe-inline' blob:; style-src \
'unsafe-inline'; worker-src blob:">
<title>@TITLE@</title>
<style>body { margin: 0; }</style>
</head>
<body>
<div id="page"><noscript>This page requires JavaScript.</noscript></div>
<!--
@LICENSES@
-->
<script>@SCRIPT@</script>
<script id="document" type="application/json">@DOCUMENT@</script>
<script>
Redoc.init(JSON.parse(document.getElementById("document").textContent), @OPTIONS@, document.getElementById("page"));
</script>
</body>
</html>
"""


def in_script(code):
    """Escapes `</script` and `<!--` in a program.

    Both occur only in strings, templates and regular expressions, where `\\x3c` means `<`.
    """
    return re.sub(r"<(?=/script|!--)", r"\\x3c", code, flags=re.IGNORECASE)


def as_json(value):
    """Serializes a value for a script element. JSON contains `<` only in strings."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def render(document, folder):
    """Renders a document, with Redoc from `folder`."""
    licenses = "\n".join((folder / name).read_text(encoding="utf-8") for name in LICENSES)
    parts = {
        "TITLE": html.escape(document["info"]["title"]),
        # `--` can end the comment.
        "LICENSES": re.sub(r"-{2,}", "-", licenses).strip(),
        "SCRIPT": in_script((folder / SCRIPT).read_text(encoding="utf-8").replace(LOGO, "data:,")),
        "DOCUMENT": as_json(document),
        "OPTIONS": as_json(OPTIONS),
    }
    return re.sub("@([A-Z]+)@", lambda match: parts[match[1]], PAGE)


def main():
    source, target = map(Path, sys.argv[1:])
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        sys.exit("render.py: Redoc is missing; run `make setup`, and run this with .venv/bin/python")
    page = render(json.loads(source.read_text(encoding="utf-8")), Path(package.submodule_search_locations[0]))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    print(f"{target}  ({len(page.encode()) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
