"""The storage's host: signed addresses for uploads and results, errors in XML, no key."""

from __future__ import annotations

import hashlib
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from .endpoint import Act, Endpoint, spoil, target
from .faults import Fault
from .features import THUMBS
from .pictures import thumb
from .state import Refusal

PICTURE_FAULTS = ("bad_picture", "bomb", "other_size", "no_alpha")


class Storage(Endpoint):
    """Takes PUT at upload addresses, and GET at those of results and of templates, all exactly as they were handed
    out."""

    storage = True

    def route(self, request: Request) -> tuple[str, Act]:
        address = target(request)
        if request.method == "PUT" and address.startswith("/upload/"):
            return "upload", lambda fault: self._upload(request, address, fault)
        if request.method == "GET" and address.startswith("/result/"):
            return "download", lambda fault: self._download(address, fault)
        if request.method == "GET" and address in THUMBS:
            return "thumb", lambda fault: Response(thumb(THUMBS[address].id), mimetype="image/png")
        raise Refusal(403, "SignatureDoesNotMatch", "The request does not match its signature.")

    def guard(self, request: Request) -> None:
        # what signed addresses of real storage answer to a second way of authentication
        if "Authorization" in request.headers:
            raise Refusal(400, "InvalidArgument", "Only one auth mechanism allowed")

    def refuse(self, refusal: Refusal) -> Response:
        code = refusal.code or "AccessDenied"
        error = f"<Code>{escape(code)}</Code><Message>{escape(refusal.text)}</Message>"
        xml = f"<?xml version='1.0' encoding='UTF-8'?><Error>{error}</Error>"
        return Response(xml, status=refusal.status, mimetype="application/xml")

    def _upload(self, request: Request, address: str, fault: Fault | None) -> Response:
        if fault and fault.kind == "expired":
            self._state.expire(address)
        if request.content_length is None:
            raise Refusal(403, "SignatureDoesNotMatch", "The request does not match its signature.")
        data = request.get_data()
        self._state.upload(address, request.headers.get("Content-Type", ""), data)
        return Response(headers={"ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'})

    def _download(self, address: str, fault: Fault | None) -> Response:
        if fault and fault.kind == "expired":
            self._state.expire(address)
        result = self._state.download(address)
        if fault and fault.kind in PICTURE_FAULTS:
            result = spoil(result, fault.kind)
        return Response(result, mimetype="image/png")
