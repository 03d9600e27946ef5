"""The variables of mapping templates, without a server."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ministack"))

from rest_api import json_path, velocity  # noqa: E402  (after the path is set)

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-*_")


def url_encoder(character: str) -> str:
    """`java.net.URLEncoder.encode(character, UTF_8)`, written from its documentation."""
    try:
        encoded = character.encode()
    except UnicodeEncodeError:  # An unpaired surrogate: Java's encoder replaces it.
        encoded = b"?"
    return "".join(chr(byte) if byte in UNRESERVED else "+" if byte == 0x20 else f"%{byte:02X}" for byte in encoded)


def render(template: str, body: str = "{}", **parts: dict[str, str]) -> str:
    """A template without context."""
    return velocity.render(template, body, parts, {"requestId": "r"}, {"v": "1"})


class UrlEncode(unittest.TestCase):
    def test_every_code_point_as_java_encodes_it(self) -> None:
        encode = velocity.Util().urlEncode

        wrong = [hex(point) for point in range(sys.maxunicode + 1) if encode(chr(point)) != url_encoder(chr(point))]

        self.assertEqual(wrong, [])

    def test_decode_is_the_opposite(self) -> None:
        text = "a b+c&d=e%41~é🦀\n"

        self.assertEqual(velocity.Util().urlDecode(velocity.Util().urlEncode(text)), text)


class Input(unittest.TestCase):
    def test_a_body_is_never_read_as_a_template(self) -> None:
        body = "$input.params('x') #if(true) #set($a = 1) ## \\$x \\\\"

        self.assertEqual(render("[$input.body]", body), f"[{body}]")

    def test_json_is_json_text(self) -> None:
        body = '{"text":"a\\"b","list":[1,true,null],"object":{"é":1.5}}'

        self.assertEqual(render("$input.json('$.text')", body), '"a\\"b"')
        self.assertEqual(render("$input.json('$.list')", body), "[1,true,null]")
        self.assertEqual(render("$input.json('$.object')", body), '{"é":1.5}')

    def test_path_walks_objects_and_lists(self) -> None:
        body = '{"items":[{"sku":"a"},{"sku":"b"}]}'

        self.assertEqual(render("$input.path('$.items[1].sku')", body), "b")
        self.assertEqual(render("$input.path('$').items.size()", body), "2")
        self.assertEqual(render("$input.path(\"$['items'][*].sku\")", body), '["a","b"]')

    def test_a_missing_value_is_empty(self) -> None:
        self.assertEqual(render("[$input.path('$.a')][$input.params('a')][$context.none]"), "[][][]")
        self.assertEqual(render("[$input.path('$.a')]", "not JSON"), "[]")

    def test_params_have_an_order_and_parts(self) -> None:
        parts = {"path": {"id": "p"}, "querystring": {"id": "q", "only": "q"}, "header": {"content-type": "h"}}

        self.assertEqual(render("$input.params('id')$input.params('only')", **parts), "pq")
        self.assertEqual(render("$input.params('Content-Type')$input.params().header.get('CONTENT-TYPE')", **parts), "hh")
        self.assertEqual(render("#foreach($n in $input.params('querystring').keySet())$n,#end", **parts), "id,only,")


class EscapeJavaScript(unittest.TestCase):
    def test_quotes_controls_and_other_than_ascii(self) -> None:
        self.assertEqual(velocity.Util().escapeJavaScript("a'\"/\\\n\x01é🦀"), "a\\'\\\"\\/\\\\\\n\\u0001\\u00E9\\uD83E\\uDD80")


class JsonPath(unittest.TestCase):
    def test_a_missing_step_is_missing(self) -> None:
        for path in ("$.a.b", "$[0]", "$.list[9]", "$..a", "$.list[?(@)]"):
            with self.subTest(path), self.assertRaises(json_path.Missing):
                json_path.select({"a": 1, "list": []}, path)



class Text(unittest.TestCase):
    def test_text_has_the_methods_of_javas_strings(self) -> None:
        self.assertEqual(render("$input.body.toLowerCase()", "ÄB-c"), "äb-c")
        self.assertEqual(render("$input.body.replaceAll('%', '').length()", "a%b%"), "2")


if __name__ == "__main__":
    unittest.main()
