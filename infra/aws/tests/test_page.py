"""What `page` uploads and refuses, and what `destroy` deletes: a bucket and an issuer on loopback."""

from __future__ import annotations

import contextlib
import io
import json
import re
import threading
import unittest
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
from awscloud import page
from awscloud.account import Account
from awscloud.stack import Stack
from localcloud.failure import Failure
from localcloud.layout import REPOSITORY

_FOLDER = REPOSITORY / "page"
_BUCKET = "the-page"
_MISSING = b"<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>"


class _Cloud:
    """One bucket, and an issuer that publishes `metadata`."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str, str]] = {}
        self.order: list[str] = []
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            # Answers `Expect: 100-continue`. Without an answer, boto3 waits a second before it sends a body.
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                name = urlsplit(self.path).path.removeprefix(f"/{_BUCKET}/")
                cloud.objects[name] = (self._body(), self.headers["Content-Type"], self.headers["Cache-Control"])
                cloud.order.append(name)
                self._answer(200, b"")

            def do_GET(self) -> None:
                if self.path.startswith("/issuer/"):
                    return self._answer(200, json.dumps(cloud.metadata).encode())
                if not self.path.startswith(f"/{_BUCKET}?"):
                    return self._answer(404, _MISSING)
                keys = "".join(f"<Contents><Key>{name}</Key></Contents>" for name in cloud.objects)
                return self._answer(200, f"<ListBucketResult>{keys}<IsTruncated>false</IsTruncated></ListBucketResult>".encode())

            def do_POST(self) -> None:
                for name in re.findall("<Key>(.*?)</Key>", self._body().decode()):
                    del cloud.objects[name]
                self._answer(200, b"<DeleteResult/>")

            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers["Content-Length"]))

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.issuer = f"{self.url}/issuer"
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/me",
        }
        session = boto3.Session(aws_access_key_id="AKIAREAL", aws_secret_access_key="secret")
        self.account = Account(session, "123456789012", "arn:aws:iam::123456789012:user/me", "eu-central-1", self.url)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def stack(self, outputs: dict[str, str] | None = None, **parameters: str) -> Stack:
        """A stack that hosts the page, with these outputs and parameters besides."""
        hosted = {"PageBucketName": _BUCKET, "PageUrl": "https://page.example", "PageIssuer": self.issuer, "PageClientId": "client",
                  "ApiUrl": "https://rest.example/live", "WebSocketUrl": "wss://socket.example/live"}  # fmt: skip
        given = {"JwtIssuer": self.issuer, "JwtAudience": "orders", "PageScope": "openid", "PageSignInOrigin": "", **parameters}
        return Stack("twolane-dev", "CREATE_COMPLETE", {**hosted, **(outputs or {})}, given, datetime.now(timezone.utc))


class Page(unittest.TestCase):
    def setUp(self) -> None:
        self.cloud = _Cloud()
        self.addCleanup(self.cloud.close)

    def upload(self, stack: Stack | None = None, metadata_url: str | None = None) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            page.upload(_FOLDER, self.cloud.account, stack or self.cloud.stack(), metadata_url)
        return printed.getvalue()

    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = json.loads(self.cloud.objects["config.json"][0])
        return settings

    def test_the_page_uses_the_stacks_own_domains(self) -> None:
        self.upload(self.cloud.stack({"ApiUrl": "https://api.example.com", "WebSocketUrl": "wss://socket.example.com"}))

        addresses = (self.settings()["apiUrl"], self.settings()["webSocketUrl"])
        self.assertEqual(addresses, ("https://api.example.com", "wss://socket.example.com"))

    def test_every_file_that_twolane_serves_is_uploaded_as_it_serves_it(self) -> None:
        listed = (REPOSITORY / "crates" / "twolane" / "src" / "page" / "files.rs").read_text(encoding="utf-8")
        served = dict(re.findall(r'^    "(\S+)" "(.+)";$', listed, re.MULTILINE))

        printed = self.upload()

        uploaded = {name: media_type for name, (_, media_type, _) in self.cloud.objects.items()}
        self.assertEqual(uploaded, {**served, "config.json": "application/json"})
        for name in served:
            self.assertEqual(self.cloud.objects[name][0], (_FOLDER / name).read_bytes(), name)
        self.assertEqual({caching for _, _, caching in self.cloud.objects.values()}, {"no-cache"})
        self.assertEqual(self.cloud.order[-1], "index.html")
        self.assertEqual(printed, "The page is uploaded: https://page.example/\n")

    def test_the_settings_are_public_addresses_and_no_more(self) -> None:
        self.upload()

        sign_in = {"authorizationEndpoint": f"{self.cloud.url}/authorize", "tokenEndpoint": f"{self.cloud.url}/token", "clientId": "client",
                   "scope": "openid", "audience": "orders"}  # fmt: skip
        self.assertEqual(self.settings(), {"apiUrl": "https://rest.example/live", "webSocketUrl": "wss://socket.example/live", "signIn": sign_in})

    def test_the_page_is_given_what_the_stack_and_the_issuer_have(self) -> None:
        self.cloud.metadata["revocation_endpoint"] = f"{self.cloud.url}/revoke"
        # The stack's own pool has no audience besides its client, and Callbacks=none no socket.
        stack = self.cloud.stack(JwtIssuer="", JwtAudience="")
        del stack.outputs["WebSocketUrl"]

        self.upload(stack)

        self.assertNotIn("webSocketUrl", self.settings())
        self.assertNotIn("audience", self.settings()["signIn"])
        self.assertEqual(self.settings()["signIn"]["revocationEndpoint"], f"{self.cloud.url}/revoke")

    def test_what_the_page_no_longer_has_is_deleted(self) -> None:
        self.cloud.objects["old.js"] = (b"", "text/javascript", "")

        self.upload()

        self.assertNotIn("old.js", self.cloud.objects)
        self.assertIn("app.js", self.cloud.objects)

    def test_a_sign_in_that_the_security_policy_would_block_is_refused(self) -> None:
        self.cloud.metadata["token_endpoint"] = "https://login.example/token"

        with self.assertRaisesRegex(Failure, "PARAMETERS=PageSignInOrigin=https://login.example$"):
            self.upload()

        self.assertEqual(self.cloud.objects, {})
        self.upload(self.cloud.stack(PageSignInOrigin="https://login.example"))
        self.assertEqual(self.settings()["signIn"]["tokenEndpoint"], "https://login.example/token")

    def test_metadata_of_another_issuer_or_without_endpoints_are_refused(self) -> None:
        elsewhere = f"{self.cloud.url}/issuer/elsewhere"
        with self.assertRaisesRegex(Failure, f"of the issuer {self.cloud.issuer}, and the stack accepts tokens of https://other.example"):
            self.upload(self.cloud.stack({"PageIssuer": "https://other.example"}), elsewhere)
        with self.assertRaisesRegex(Failure, "cannot be read from http://127.0.0.1:9/.well-known/openid-configuration"):
            self.upload(self.cloud.stack({"PageIssuer": "http://127.0.0.1:9/"}))
        del self.cloud.metadata["token_endpoint"]
        with self.assertRaisesRegex(Failure, "has no token_endpoint"):
            self.upload()

        self.assertEqual(self.cloud.objects, {})

    def test_destroy_empties_the_bucket_and_takes_one_that_is_gone(self) -> None:
        self.upload()

        page.empty(self.cloud.account, self.cloud.stack())
        page.empty(self.cloud.account, self.cloud.stack({"PageBucketName": "gone"}))

        self.assertEqual(self.cloud.objects, {})
