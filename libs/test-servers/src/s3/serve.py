"""Serves S3 on loopback with moto, for tests: one user, whose signature every request must carry.

moto runs each request in a thread, and checks the condition of a write before it writes, so two writers could both pass the check. S3 decides for one
of them; so does this server, by letting one request at a time change anything.
"""

import io
import json
import os
import sys
import threading

os.environ["MOTO_PORT"] = sys.argv[1]

from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import MotoRequestHandler
from werkzeug.serving import make_server

USER = "sublace"
ALLOW_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class OneWriter:
    """Refuses requests that nobody signed, and lets one at a time change anything; its body is read before, so that a slow client holds nobody up."""

    def __init__(self, app):
        self.app = app
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        if "HTTP_AUTHORIZATION" not in environ:
            # moto takes this for a defect of its own.
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>expected a signed request</Message></Error>"]
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self.app(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > 0:
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with self.lock:
            return self.app(environ, start_response)


class QuietHandler(MotoRequestHandler):
    def log_request(self, *args):
        pass


def main():
    port, access_key, secret_key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    iam.create_user("us-east-1", USER)
    key = iam.create_access_key(USER)
    iam.access_keys.pop(key.physical_resource_id, None)
    key.access_key_id, key.secret_access_key = access_key, secret_key
    iam.access_keys[access_key] = key
    iam.put_user_policy(USER, "s3", json.dumps(ALLOW_S3))
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    for bucket in sys.argv[4:]:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(bucket, "us-east-1")

    server = make_server(
        "127.0.0.1",
        port,
        OneWriter(DomainDispatcherApplication(create_backend_app)),
        threaded=True,
        request_handler=QuietHandler,
    )
    print(f"ready on {server.port}", flush=True)
    server.serve_forever()


main()
