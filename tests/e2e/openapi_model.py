"""openapi.yaml read as data: its operations, their examples, JSON schemas that jsonschema takes, and bodies that
hypothesis makes of them."""
import json
from pathlib import Path

import yaml
from hypothesis import strategies as st
from jsonschema import Draft7Validator

DOCUMENT = Path(__file__).resolve().parents[2] / "src/host/openapi.yaml"


class Operation:
    def __init__(self, document, method, path, value):
        self.method, self.path, self.value = method.upper(), path, value
        self.id = value["operationId"]
        self.responses = {int(status): document.resolve(r) for status, r in value["responses"].items()}
        body = value.get("requestBody")
        self.takes_body = body is not None
        content = body["content"]["application/json"] if body else {}
        self.request_schema = document.resolve(content.get("schema"))
        self.examples = content.get("examples", {})
        self.query = "&".join(f"{p['name']}={p['example']}" for p in value.get("parameters", ()))

    @property
    def target(self):
        return self.path + ("?" + self.query if self.query else "")

    def content(self, status):
        """(type, schema or None, example or None) of an answer."""
        ((kind, value),) = self.responses[status]["content"].items()
        return kind, value["schema"], value.get("example")

    def check(self, status, headers, body):
        """The answer is one that is described."""
        assert status in self.responses, (self.id, status, body[:300])
        kind, schema, _ = self.content(status)
        assert headers["content-type"] == kind
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert int(headers["content-length"]) == len(body)
        if kind != "application/json":
            return body
        value = json.loads(body)
        Draft7Validator(schema).validate(value)
        if status >= 400:
            assert value["code"] == status, value
        return value


class Document:
    def __init__(self, text=None):
        self.value = yaml.safe_load(text or DOCUMENT.read_text())
        self.operations = [Operation(self, method, path, value)
                           for path, methods in self.value["paths"].items()
                           for method, value in methods.items()]

    def resolve(self, value):
        """The value without references, and with null among the types where it may be."""
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            found = self.value
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            return self.resolve(found)
        out = {k: v if k in ("example", "examples") else self.resolve(v) for k, v in value.items()}
        if out.pop("nullable", False):
            return {"anyOf": [{"type": "null"}, out]}
        return out


def smallest(schema):
    """One value of a schema."""
    if "oneOf" in schema or "anyOf" in schema:
        return smallest(schema.get("oneOf", schema.get("anyOf"))[0])
    if "allOf" in schema:
        parts = [smallest(s) for s in schema["allOf"]]
        return {k: v for p in parts for k, v in p.items()} if isinstance(parts[0], dict) else parts[0]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"]
    if kind == "object":
        return {k: smallest(schema["properties"][k]) for k in schema.get("required", ())}
    if kind == "string":
        return "00000000-0000-4000-8000-000000000000" if schema.get("format") == "uuid" else ""
    return {"array": [], "boolean": True, "integer": schema.get("minimum", 0), "number": 0.5, "null": None}[kind]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner,
                                                                                      max_size=4), max_leaves=8)


def values(schema):
    """Values of a schema."""
    if "oneOf" in schema or "anyOf" in schema:
        return st.one_of([values(s) for s in schema.get("oneOf", schema.get("anyOf"))])
    if "allOf" in schema:
        merged = {}
        for part in schema["allOf"]:
            merged.update(part)
        return values({**merged, **{k: v for k, v in schema.items() if k != "allOf"}})
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if kind == "object":
        properties = {k: values(v) for k, v in schema.get("properties", {}).items()}
        required = schema.get("required", ())
        return st.fixed_dictionaries({k: v for k, v in properties.items() if k in required},
                                     optional={k: v for k, v in properties.items() if k not in required})
    if kind == "array":
        return st.lists(values(schema["items"]), min_size=schema.get("minItems", 0),
                        max_size=schema.get("maxItems", 6))
    if kind == "integer":
        return st.integers(schema.get("minimum", -2**31), schema.get("maximum", 2**31))
    return {"string": st.text(max_size=40), "boolean": st.booleans(), "null": st.none(),
            "number": st.floats(0, 1e6)}[kind]


def places(value, at=()):
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, at + (key,))


def replaced(value, at, new):
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = replaced(value[at[0]], at[1:], new)
    return copy


@st.composite
def mutated(draw, schema):
    """A value of a schema with something else in one place."""
    value = draw(values(schema))
    return replaced(value, draw(st.sampled_from(list(places(value)))), draw(ANYTHING))


@st.composite
def torn(draw, schema):
    """Bytes that were such a value once."""
    text = json.dumps(draw(values(schema))).encode()
    at = draw(st.integers(0, len(text)))
    return draw(st.sampled_from([text[:at], text[:at] + draw(st.binary(max_size=8)) + text[at:],
                                 text + text, text.replace(b":", b"", 1)]))
