"""/docs: the API's description as one page that asks no other host for anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark;
  --paper: #faf8f4; --ink: #1c1b1a; --line: #1c1b1a22; --accent: #b93c1e }
@media (prefers-color-scheme: dark) {
  :root { --paper: #131416; --ink: #e9e6e1; --line: #e9e6e122; --accent: #f0785a } }
body { font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  background: var(--paper); color: var(--ink);
  max-width: 52rem; margin: 0 auto; padding: 2rem 1rem }
h2 { margin-top: 2.5rem; text-transform: capitalize } a { color: var(--accent) }
article { border-top: 1px solid var(--line); padding: .75rem 0 } p { margin: .25rem 0 }
code, pre { font: 14px/1.5 ui-monospace, monospace } b { color: var(--accent) }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 10px }
table { border-collapse: collapse; font-size: 14px; margin-top: .5rem; width: 100% }
p code { overflow-wrap: anywhere }
td { padding: .25rem .75rem .25rem 0; vertical-align: top; border-top: 1px solid var(--line) }
@media (max-width: 600px) {
  td, tr { display: block } tr { border-top: 1px solid var(--line); padding: .25rem 0 }
  td { border: 0; padding: 0 } td:nth-child(2) { display: none }
  td code { overflow-wrap: anywhere } }
"""
_EXAMPLE = """curl -X POST http://127.0.0.1:7860/api/v1/jobs \\
  -H "Content-Type: application/json" \\
  -d '{"prompt": "a red sailboat on the sea at sunset, watercolour"}'"""


def reference_page(description: Mapping[str, Any]) -> str:
    """HTML with every operation of an OpenAPI ``description``, grouped by tag."""
    groups: dict[str, list[str]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["studio"])[0]
            groups.setdefault(tag, []).append(_operation(path, method, operation))
    title = escape(description["info"]["title"])
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(rows)}" for tag, rows in groups.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}: API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{title}: API</h1><p>{escape(description['info']['description'])} "
        'For programs: <a href="/openapi.json">openapi.json</a>.</p>'
        f"<pre>{escape(_EXAMPLE)}</pre>{sections}</html>"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    asked = [p for p in operation.get("parameters", ()) if p["in"] != "path"]
    rows = [_row(p["name"], p["schema"], p["in"]) for p in asked]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    fields = body.get("schema", {}).get("properties", {})
    rows += [_row(name, schema, "body") for name, schema in fields.items()]
    table = f"<table>{''.join(rows)}</table>" if rows else ""
    return (
        f"<article><p><b><code>{method.upper()}</code></b> <code>{escape(path)}</code></p>"
        f"<p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>"
        f"{table}</article>"
    )


def _row(name: str, schema: Mapping[str, Any], where: str) -> str:
    kinds = [schema, *schema.get("anyOf", ())]
    kind = " or ".join(str(k["type"]) for k in kinds if k.get("type", "null") != "null")
    bounds = []
    if "minimum" in schema:
        bounds.append(f"{schema['minimum']:g} to {schema['maximum']:.10g}")
    if "multipleOf" in schema:
        bounds.append(f"in steps of {schema['multipleOf']}")
    if "maxLength" in schema:
        bounds.append(f"at most {schema['maxLength']:,} characters")
    if schema.get("default") not in (None, "", [], {}):
        bounds.append(f"usually {json.dumps(schema['default'])}")
    words = escape(", ".join([kind, *bounds]))
    return (
        f"<tr><td><code>{escape(name)}</code></td><td>{where}</td><td>{words}</td>"
        f"<td>{escape(schema.get('description', ''))}</td></tr>"
    )
