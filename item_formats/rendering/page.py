"""A whole page that holds everything it needs: it may load nothing, and run nothing but the script written here."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files

_SCRIPTED = "data-tiku="  # what the script looks for; a page without it needs none


@cache
def style_sheet(name: str) -> str:
    return (files("item_formats.rendering") / name).read_text(encoding="utf-8")


def document(*, title: str, language: str, styles: str, body: str) -> str:
    """`body` in a page of its own. The script comes along only where something in the body needs it."""
    scripted = _SCRIPTED in body
    script = style_sheet("answering.js") if scripted else ""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _DOCUMENT.format(
        title=escape(title),
        language=escape(language or "zh-CN"),
        scripts=f" script-src 'sha256-{digest}';" if scripted else "",
        styles=styles,
        body=body,
        script=f"\n<script>{script}</script>" if scripted else "",
    )


_DOCUMENT = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
media-src data:;{scripts} form-action 'none'; base-uri 'none'">
<title>{title}</title>
<style>
{styles}
</style>
</head>
<body>
{body}{script}
</body>
</html>
"""
