"""Makes one HTML page of the OpenAPI document: `render.py openapi.json page.html`.

The page holds everything that it needs, the document and Redoc, and loads nothing: it works from a file and without a network. Its
content security policy sees to that, whatever a coming version of Redoc would like to load.
"""

import html
import importlib.util
import json
import re
import sys
from pathlib import Path

# The package is made for Django, which is not there. Its place can be found without running it.
PACKAGE = "drf_spectacular_sidecar"
SCRIPT = "static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
# What Redoc loads: a logo, which it leaves out where it cannot be had.
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
LICENSES = ("static/drf_spectacular_sidecar/redoc/LICENSE", SCRIPT + ".LICENSE.txt")

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
CODE_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"

OPTIONS = {
    # The document is in the repository, beside what the page is made from.
    "hideDownloadButtons": True,
    # The server is another one for everybody who has deployed the API, so its name is an example.
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
<div id="page"><noscript>This page is made by a script in it.</noscript></div>
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
    """The same program without what would end a script element, or begin a comment in it.

    Both can only stand in strings, templates and regular expressions, where `\\x3c` is another way to write `<`.
    """
    return re.sub(r"<(?=/script|!--)", r"\\x3c", code, flags=re.IGNORECASE)


def as_json(value):
    """JSON that is the same in a script element: `<` stands in strings only."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def render(document, folder):
    """The page of a document, with Redoc from this folder."""
    licenses = "\n".join((folder / name).read_text(encoding="utf-8") for name in LICENSES)
    parts = {
        "TITLE": html.escape(document["info"]["title"]),
        # Two hyphens could end the comment.
        "LICENSES": re.sub(r"-{2,}", "-", licenses).strip(),
        "SCRIPT": in_script((folder / SCRIPT).read_text(encoding="utf-8").replace(LOGO, "data:,")),
        "DOCUMENT": as_json(document),
        "OPTIONS": as_json(OPTIONS),
    }
    return re.sub("@([A-Z]+)@", lambda place: parts[place[1]], PAGE)


def main():
    source, target = map(Path, sys.argv[1:])
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        sys.exit("render.py: Redoc is missing: run `make setup`, and this with .venv/bin/python")
    page = render(json.loads(source.read_text(encoding="utf-8")), Path(package.submodule_search_locations[0]))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    print(f"{target}  ({len(page.encode()) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
