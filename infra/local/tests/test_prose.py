"""What the prose check finds in each kind of text, and what it does with exceptions and with texts that it cannot extract."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from localcloud.checks import prose
from localcloud.commands import Target
from localcloud.failure import Failure
from localcloud.layout import Instance, Project

# Per kind of text: file name, line of the text, file.
_KINDS = {
    "paragraph.md": (3, "# Title\n\n{}\n"),
    "heading.md": (1, "# {}\n"),
    "item.md": (2, "- one\n- {}\n"),
    "cell.md": (3, "| a | b |\n|---|---|\n| x | {} |\n"),
    "quote.md": (2, "> One.\n> {}\n"),
    "link.md": (1, "[{}](https://example.org)\n"),
    "item_doc.rs": (2, "const QUOTE: char = '\"';\n/// {}\nstruct S;\n"),
    "module_doc.rs": (2, "//! One.\n//! {}\n"),
    "comment.rs": (2, "const S: &str = r#\"//\"#;\nfn f() {{}} // {}\n"),
    "block_comment.rs": (3, "/* /* nested */\n *\n * {}\n */\n"),
    "docstring.py": (2, 'def f():\n    """{}"""\n'),
    "long_docstring.py": (3, 'class C:\n    """One.\n    {}\n    """\n'),
    "comment.py": (1, "# {}\n"),
    "trailing_comment.py": (1, "x = '#'  # {}\n"),
    "comment.yaml": (2, "a: '#'\nb: 1 # {}\n"),
    "template.yaml": (2, "Resources:\n  A: {{Description: '{}', Type: B}}\n"),
    "alarm.yaml": (1, "AlarmDescription: !Sub {}\n"),
    "openapi.yaml": (2, "info:\n  summary: {}\n"),
    "asyncapi.yaml": (3, "info:\n  description: |\n    {}\n"),
    "Makefile": (1, "check: ## {}\n\t@true\n"),
    "comments/Makefile": (1, "# {}\n"),
    "src/string.rs": (1, 'const S: &str = "{}";\n'),
    "src/raw_string.rs": (1, 'const S: &str = r#"{}"#;\n'),
    "src/next_line.rs": (2, 'const S: &str = "One. \\\n    {}";\n'),
    "src/escaped.rs": (1, 'const S: &str = "One.\\n  1  {}";\n'),
    "src/error.rs": (1, '#[error("{}: {{0}}")]\nstruct S;\n'),
    "src/markup.rs": (2, 'const S: &str = "<p>\n{}</p>";\n'),
    "src/fence.rs": (1, 'const S: &str = "```"; const T: &str = "{}";\n'),
    "string.py": (1, "print('{}')\n"),
    "f_string.py": (1, "print(f'{{print}} {}')\n"),
    "help.py": (2, "run(\n    help='{}',\n)\n"),
    "scalar.yaml": (1, "a: '{}'\n"),
    "velocity.yaml": (3, "a: |\n  #if($b)\n  ## {}\n  #end\n"),
    "comment.toml": (1, "# {}\n"),
    "trailing_comment.toml": (2, "a = '\"#'\nb = 1 # {}\n"),
    "string.toml": (1, 'a = "{}"\n'),
    "raw_string.toml": (1, "a = '{}'\n"),
    "block.toml": (2, 'a = """\n{}"""\n'),
    "raw_block.toml": (2, "a = '''\n{}'''\n"),
    "description.schema.json": (2, '{{\n"a": {{"description": "{}"}}}}\n'),
    "title.schema.json": (1, '{{"title": "{}"}}\n'),
    "comment.js": (2, "const a = 1 / 2, b = /['\"`/*]/;\n// {}\n"),
    "trailing_comment.mjs": (1, "f(`//${{ {{a: '}}'}}.b }}`); // {}\n"),
    "block_comment.js": (2, "/**\n * {}\n * @param {{string}} a\n */\n"),
    "tag.js": (2, "/**\n * @param {{Map<string, {{a: b}}>}} {}\n */\n"),
    "string.js": (1, "f('{}')\n"),
    "double_string.js": (1, 'f("{}")\n'),
    "template.js": (1, "f(`${{a}}: {}`)\n"),
    "nested_template.js": (1, "f(`${{g(`{}`)}}`)\n"),
    "text.html": (2, "<p>\n{}<br></p>\n"),
    "inline.html": (1, "<p>{}<span> <b>One.</b></span></p>\n"),
    "attribute.html": (1, '<p aria-label="{}"></p>\n'),
    "comment.html": (1, "<!-- {} -->\n"),
    "front_matter.md": (2, "---\n{}\n---\n"),
    "crlf.md": (3, "One.\r\n\r\n{}\r\n"),
    "script.yaml": (3, "# <script>\n#\n# {}\n"),
    "style.py": (3, "# <style>\n#\n# {}\n"),
    "pre.rs": (3, "//! <pre>\n//!\n//! {}\n"),
    "comment_in_comment.toml": (1, "# <!-- {}\n"),
    "pre.schema.json": (1, '{{"description": "<pre> {}"}}\n'),
    "indented.schema.json": (1, '{{"description": "    {}"}}\n'),
    "indented.rs": (1, "//     {}\n"),
    "indented.py": (1, "#     {}\n"),
    "wide_item.rs": (1, "/// -      {}\n"),
    "indented_docstring.py": (6, 'def f():\n    """One.\n\n    Args:\n\n            {}\n    """\n'),
    "html.md": (3, '# Title\n\n<p align="center">{}</p>\n'),
    "summary.md": (2, "<details>\n<summary><b>{}</b></summary>\n\nOne.\n\n</details>\n"),
    "alt.md": (1, '<p><img src="a.png" alt="{}"></p>\n'),
    "inline_html.md": (1, 'One <img title="{}"> two.\n'),
    "html_comment.md": (3, "One.\n\n<!-- {} -->\n"),
    "image.md": (1, "![{}](a.png)\n"),
    "image_title.md": (1, '![One](a.png "{}")\n'),
    "link_title.md": (1, '[One](https://example.org "{}")\n'),
    "definition.md": (3, '[One]\n\n[One]: https://example.org "{}"\n'),
    "crlf.py": (2, "x = 1\r\n# {}\r\n"),
    "marked.py": (1, "\ufeff# {}\n"),
    "bytes.py": (1, "f(b'{}')\n"),
    "mixed_quotes.py": (2, "def f():\n    ('One. '\n     \"{}\")\n"),
    "line_end.py": (1, "f('One.\\n{}')\n"),
    "src/doc.rs": (1, '#[doc = "{}"]\nstruct S;\n'),
    "src/bytes.rs": (1, 'const S: &[u8] = b"{}";\n'),
    "src/hexadecimal.rs": (1, 'const S: &str = "One.\\u{{a}}\\x0a{}";\n'),
    "escaped.toml": (1, 'a = "One.\\u000a{}"\n'),
    "quotation_marks.toml": (1, 'a = """{} \\"One\\"""""\n'),
    "escaped.yaml": (1, 'a: "One.\\n{}"\n'),
    "anchor.yaml": (1, "- &a ['{}', *a]\n"),
    "escaped.js": (1, "f('One.\\u{{a}}\\x0a\\n{}')\n"),
    "regex.js": (1, "if (a) /\"/.test(b); f('{}'); g(/\"/);\n"),
    "increment.js": (1, "x = i++ / 2; // {}\n"),
    "throw.js": (1, "throw /`/; // {}\n"),
    "expression.js": (4, "f(`${{\na\n}} b.\n {}`)\n"),
    "link.js": (2, "/**\n * {} See {{@link A}} and a@example.org.\n */\n"),
    "omitted.html": (2, "<ul><li>One.\n<li>{}</ul>\n"),
    "section.html": (1, "<![One: {}]>\n"),
    "instruction.html": (1, "<?One: {}?>\n"),
    "await.mjs": (1, "await f('{}');\n"),
}
# Each text, and the kind of finding in it.
_TEXTS = {
    "The caller is told of it.": ["word"],
    f"{'word ' * 39}end.": ["long"],
    "The message is recieved.": ["spelling"],
    "The caller is notified. There is no caller, and it no longer waits.": [],
}
_UNREADABLE = {
    "fence.md": (2, b"\n```sh\ntold\n"),
    "comment.md": (3, b"One.\n\n<!-- mine\n"),
    "script.md": (1, b"<script>\n\nOne.\n"),
    "latin_1.md": (1, b"\xe9\n"),
    "comment.rs": (2, b"\n/* told /* */\n"),
    "string.rs": (1, b'const S: &str = "told;\n'),
    "raw_string.rs": (1, b'const S: &str = r##"told"#;\n'),
    "fence.rs": (1, b"/// ```\nstruct S;\n/// told\n"),
    "code.py": (2, b"\ndef told:\n"),
    "string.toml": (1, b"a = 'told\n"),
    "block.toml": (2, b'\na = """told"\n'),
    "list.schema.json": (3, b'{\n"description": ["told"\n'),
    "comment.js": (2, b"\n/* told\n"),
    "string.js": (2, b"\nf('told\n"),
    "template.js": (2, b"\nf(`told\n"),
    "expression.js": (2, b"f(`${a\n}${'told'`"),
    "regex.js": (1, b"f(/told\n"),
    "comment.html": (2, b"\n<!-- told"),
    "attribute.html": (2, b'\n<p title="told></p>\n'),
    "element.html": (1, b"<div>\ntold\n"),
    "end.html": (2, b"\n</p>told"),
    "list.yaml": (2, b"a: [1\n"),
    "latin_1.yaml": (1, b"# \xe9\n"),
    "deep.schema.json": (1, b"[" * 100_000),
    "deep.py": (1, b"x = " + b"-" * 100_000 + b"1\n"),
    "deep.yaml": (1, b"[" * 3_000),
    "deep.js": (1, b"[" * 100_000),
    "character.toml": (1, b'a = "\\UFFFFFFFF told"\n'),
    "item_fence.md": (1, b"- ```\n\nOne.\n\n```sh\ntold\n```\n"),
    "no_fence.md": (3, b"``` a`b\n\n```\ntold\n"),
}
_IN_TESTS = {
    "literal.rs": 'const A: &str = "{}";\n',
    "literal.py": "A = '{}'\n",
    "literal.js": "f('{}')\n",
    "fixture.schema.json": '{{"title": "{}"}}\n',
}
# Only the last item is too long.
_HELP = f"""{"one " * 20}
{"one " * 4}end.

Examples:
  {"two " * 20}
  {"two " * 20}:
    {"two " * 20}
  1  {"three " * 20}
     {"three " * 20}
"""
_BANNED = ["told", "tells", "nobody", "somebody", "whoever", "whose", "mend", "mended", "beside", "any more", "no longer any", "is no"]
_BANNED += ["are none", "so many", "as many as there are", "of its own", "of yours", "by which", "of which", "for whoever"]
_BANNED += ["comes again", "comes to", "in words", "without a word"]


def findings(root: Path) -> dict[str, list[tuple[int, str]]]:
    """Line and kind of all findings, by path."""
    found: dict[str, list[tuple[int, str]]] = {}
    for finding in prose.findings(root, prose.sources(root)):
        found.setdefault(finding.path, []).append((finding.line, finding.kind))
    return found


def write(root: Path, path: str, content: bytes | str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content.encode() if isinstance(content, str) else content)


class Extraction(unittest.TestCase):
    """One run over all files, because a run takes seconds."""

    found: dict[str, list[tuple[int, str]]]

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for number, text in enumerate(_TEXTS):
                for name, (_, template) in _KINDS.items():
                    write(root, f"{number}/{name}", template.format(text))
            for name, (_, content) in _UNREADABLE.items():
                write(root, f"unreadable/{name}", content)
            write(root, "words.md", "\n".join(f"- a {phrase} b" for phrase in _BANNED))
            for name, template in _IN_TESTS.items():
                write(root, f"tests/{name}", template.format("did recieve"))
            write(root, "literals/paragraphs.py", f'"""One."""\nA = """\n{_HELP}"""\nB = "told"\n')
            write(root, "literals/src/paragraphs.rs", f'const A: &str = "\\\n{_HELP}";\nconst B: &str = "told";\n')
            write(root, "literals/src/next_line.rs", f'const A: &str = "{"one " * 20}\\\n    {"two " * 20}";\n')
            separate = [f"/// {'one ' * 20}", f"// {'two ' * 20}", f"fn f() {{}} // {'three ' * 20}", f"fn g() {{}} // {'four ' * 20}"]
            write(root, "parts.rs", "\n".join(separate))
            write(root, "joined.rs", f"/// One.\n/// {'one ' * 20}\n/// {'two ' * 20}is\n/// no order.\n")
            link = f"{'one ' * 20}{{@link A}} a@example.org {'two ' * 20}"
            write(root, "link.js", f"/** {link} */\n")
            write(root, "inline.html", f"<p>{'one ' * 20}<q>{'two ' * 20}</q></p>\n")
            write(root, "sentences.md", f"**{'One ' * 15}end.** {'two ' * 15}`a b. c`. create-order {'is ' * 20}`{'code ' * 20}`, e.g. 10 000.\n")
            write(root, "limit.md", f"{'one ' * 24}end.\n\n{'one ' * 25}end.\n")
            write(root, "code.md", f"```sh\ntold {'a ' * 30}\n```\n\n`told`\n")
            write(root, "target/told.md", "told")
            cls.found = findings(root)

    def test_a_banned_word_a_long_sentence_and_a_misspelling_are_found_in_each_kind_of_text(self) -> None:
        for number, (text, kinds) in enumerate(_TEXTS.items()):
            for name, (line, _) in _KINDS.items():
                with self.subTest(name, text=text):
                    self.assertEqual(self.found.get(f"{number}/{name}", []), [(line, kind) for kind in kinds])

    def test_a_text_that_cannot_be_extracted_is_found(self) -> None:
        for name, (line, _) in _UNREADABLE.items():
            with self.subTest(name):
                self.assertEqual(self.found.get(f"unreadable/{name}"), [(line, "unreadable")])

    def test_every_banned_word_and_phrase_is_found(self) -> None:
        self.assertEqual({line for line, _ in self.found["words.md"]}, set(range(1, len(_BANNED) + 1)))

    def test_literals_of_tests_are_not_read(self) -> None:
        self.assertEqual([path for path in self.found if path.startswith("tests/")], [])

    def test_paragraphs_of_literals_begin_with_indentation_or_behind_an_empty_line(self) -> None:
        self.assertEqual(self.found["literals/paragraphs.py"], [(10, "long")])
        self.assertEqual(self.found["literals/src/paragraphs.rs"], [(9, "long")])
        self.assertEqual(self.found["literals/src/next_line.rs"], [(1, "long")])

    def test_lines_of_one_comment_are_one_text_and_others_are_not(self) -> None:
        self.assertEqual(self.found["joined.rs"], [(2, "long"), (3, "word")])
        self.assertNotIn("parts.rs", self.found)

    def test_sentences_end_at_full_stops_and_code_and_numbers_are_words(self) -> None:
        self.assertEqual(self.found["limit.md"], [(3, "long")])
        self.assertNotIn("sentences.md", self.found)

    def test_a_sentence_goes_on_behind_inline_tags(self) -> None:
        self.assertEqual([self.found.get(name) for name in ("link.js", "inline.html")], [[(1, "long")]] * 2)

    def test_code_and_what_builds_make_is_not_prose(self) -> None:
        self.assertEqual([path for path in self.found if path.startswith(("code.md", "target"))], [])


class Runs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.exceptions = self.root / "exceptions.json"
        patch = mock.patch.object(prose, "EXCEPTIONS", self.exceptions)
        patch.start()
        self.addCleanup(patch.stop)
        self.accept()

    def accept(self, *accepted: dict[str, str]) -> None:
        self.exceptions.write_text(json.dumps(accepted))

    def check(self, *below: str) -> tuple[bool, str]:
        """Whether it passes, and all that it says."""
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                prose.run(Target(Project(self.root), Instance(self.root / ".local"), None), list(below))
        except Failure as failure:
            return False, f"{printed.getvalue()}{failure}"
        return True, printed.getvalue()

    def test_a_finding_fails_with_its_place_and_what_to_write(self) -> None:
        write(self.root, "docs/a.md", "One.\n\nIt is told.\n")
        write(self.root, "b.md", "It is told.\n")

        passed, said = self.check("docs")

        self.assertFalse(passed)
        self.assertIn("docs/a.md:3: word: told => notify, report, print or say\n", said)
        self.assertNotIn("b.md", said)

    def test_files_are_read_again_only_when_something_changed(self) -> None:
        write(self.root, "a.md", "One.\n")

        self.assertEqual([self.check()[1].count("unchanged") for _ in range(2)], [0, 1])
        write(self.root, "a.md", "It is told.\n")
        self.assertFalse(self.check()[0])

    def test_a_file_that_cannot_be_read_fails(self) -> None:
        (self.root / "a.md").symlink_to("nothing")

        passed, said = self.check()

        self.assertFalse(passed)
        self.assertIn("a.md:1: unreadable: it cannot be read", said)

    def test_an_exception_is_for_its_text_and_paths_and_must_be_used(self) -> None:
        accepted = {"kind": "word", "text": "told", "paths": "docs/*", "reason": "a quotation"}
        self.accept(accepted, {**accepted, "text": "tells"})
        for path in ("docs/a.md", "a.md"):
            write(self.root, path, "It is told.\n")

        passed, said = self.check()

        self.assertFalse(passed)
        self.assertEqual([line.split(":")[0] for line in said.splitlines() if " => " in line], ["a.md"])
        self.assertEqual([line.split("exception: ")[1] for line in said.splitlines() if "unused" in line], ["word 'tells' in docs/*"])

    def test_an_exception_needs_a_reason(self) -> None:
        write(self.root, "a.md", "It is told.\n")
        for reason in ({"reason": " "}, {}):
            with self.subTest(reason):
                self.accept({"kind": "word", "text": "told", "paths": "*", **reason})

                passed, said = self.check()

                self.assertFalse(passed)
                self.assertIn("reason", said)
