"""The files of packaging/front in front of a real weir: TLS works, and weir sees the client's address, not the front's.

A bucket of two requests for each address tells whose address weir sees: the third one of the same client is 429, the
first of another client is not, and a forged X-Forwarded-For buys nothing.
"""
import http.client
import json
import re
import shutil
import ssl
import subprocess

import pytest
from ports import free_port
from weir import ROOT, Weir, wait_for

FRONT = ROOT / "packaging" / "front"


def ask(connection, method, path, body=None, headers=None):
    """(status, headers, body)"""
    try:
        try:
            connection.request(method, path, body=body, headers=headers or {})
        except OSError:
            if body is None:
                raise  # else it was answered, and hung up on, before all of the body was sent; the answer can be read
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def replaced(text, old, new):
    assert old in text, f"the file no longer says {old!r}"
    return text.replace(old, new)


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=analytics.example.org"]
        + ["-addext", "subjectAltName=DNS:analytics.example.org", "-keyout", "privkey.pem", "-out", "fullchain.pem"],
        cwd=folder, check=True, capture_output=True,
    )
    (folder / "weir.pem").write_text((folder / "fullchain.pem").read_text() + (folder / "privkey.pem").read_text())


def start_nginx(folder, weir_port, tls_port, plain_port):
    site = (FRONT / "nginx.conf").read_text()
    site = replaced(site, "server 127.0.0.1:8000;", f"server 127.0.0.1:{weir_port};")
    site = replaced(site, "listen 443 ssl http2;", f"listen 127.0.0.1:{tls_port} ssl http2;")
    site = replaced(site, "listen 80;", f"listen 127.0.0.1:{plain_port};")
    site = replaced(site, "/etc/ssl/weir/", f"{folder}/")
    (folder / "site.conf").write_text(site)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 256; }}\nhttp {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def start_haproxy(folder, weir_port, tls_port, _):
    text = (FRONT / "haproxy.cfg").read_text()
    text = replaced(text, "server node1 127.0.0.1:8000", f"server node1 127.0.0.1:{weir_port}")
    text = replaced(text, "bind :443 ", f"bind 127.0.0.1:{tls_port} ")
    text = replaced(text, "maxconn 20000", "maxconn 200")
    text = replaced(text, "/etc/haproxy/weir.pem", f"{folder}/weir.pem")
    (folder / "haproxy.cfg").write_text(text)
    return [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


class Front:
    def __init__(self, kind, folder, weir):
        self.kind, self.weir = kind, weir
        self.tls_port, self.plain_port = free_port(), free_port()
        certificate(folder)
        self.context = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
        start = {"nginx": start_nginx, "haproxy": start_haproxy}[kind]
        self.log = open(folder / "front.log", "wb")
        self.process = subprocess.Popen(
            start(folder, weir.port, self.tls_port, self.plain_port), stdout=self.log, stderr=self.log
        )

        def answers():
            assert self.process.poll() is None, (folder / "front.log").read_text()
            try:
                return self.request("GET", "/ready")[0] == 200
            except OSError:
                return False

        wait_for(answers, f"{kind} passes requests on")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def request(self, method, path, body=None, headers=None, source="127.0.0.1"):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.tls_port, timeout=30, context=self.context, source_address=(source, 0)
        )
        # The certificate is for the name, the connection goes to the address.
        connection._context.check_hostname = False
        return ask(connection, method, path, body, {"Host": "analytics.example.org"} | (headers or {}))

    def capture(self, event, source="127.0.0.1", headers=None):
        headers = {"X-App": "app", "Content-Type": "application/json"} | (headers or {})
        return self.request("POST", "/", json.dumps(event).encode(), headers, source)


LIMITS = ["--http.trusted_proxies", "127.0.0.1", "--collect.rate_per_address", "0.001", "--collect.burst_per_address", "2"]


@pytest.fixture(params=["nginx", "haproxy"], scope="module")
def front(request, tmp_path_factory):
    """One for all tests of this file; each test comes from addresses of its own, so that its buckets are full."""
    folder = tmp_path_factory.mktemp(request.param)
    with Weir(folder / "data", arguments=LIMITS) as weir:
        front = Front(request.param, folder, weir)
        yield front
        front.stop()


def test_an_event_over_https_is_stored(front):
    assert front.capture({"type": "over_tls", "user_id": "1"}, source="127.0.0.5")[0] == 201
    wait_for(lambda: front.weir.query("select user_id from events where name = 'over_tls'") == [["1"]], "it is a row")


def test_the_limit_is_of_the_clients_address_not_of_the_fronts(front):
    answers = [front.capture({"type": "a"}, source="127.0.0.2") for _ in range(3)]
    assert [status for status, _, _ in answers] == [201, 201, 429]
    assert "Retry-After" in answers[2][1]
    assert front.capture({"type": "b"}, source="127.0.0.3")[0] == 201
    forged = front.capture({"type": "c"}, source="127.0.0.2", headers={"X-Forwarded-For": "203.0.113.7"})
    assert forged[0] == 429, "a forged X-Forwarded-For changed whose bucket it is"


def test_a_peer_that_is_no_front_is_not_believed(front):
    # Straight to weir from an address that trusted_proxies does not name: the header is the client's own invention.
    def directly(claimed):
        connection = http.client.HTTPConnection("127.0.0.1", front.weir.port, timeout=30, source_address=("127.0.0.9", 0))
        return ask(connection, "POST", "/", b'{"type":"a"}', {"X-App": "app", "X-Forwarded-For": claimed,
                                                             "Content-Type": "application/json"})[0]

    assert [directly(f"203.0.113.{n}") for n in range(3)] == [201, 201, 429]


def test_a_header_name_with_an_underscore_does_not_pass(front):
    answer = front.capture({"type": "a"}, source="127.0.0.6", headers={"X_Forwarded_For": "203.0.113.7"})
    assert answer[0] == (201 if front.kind == "nginx" else 403)


def test_plain_http_is_sent_to_https(front):
    if front.kind == "haproxy":
        assert not re.search(r"^\s*bind :80", (FRONT / "haproxy.cfg").read_text(), re.MULTILINE)
        return
    connection = http.client.HTTPConnection("127.0.0.1", front.plain_port, timeout=30)
    status, headers, _ = ask(connection, "POST", "/v1/events", headers={"Host": "analytics.example.org"})
    assert (status, headers["Location"]) == (308, "https://analytics.example.org/v1/events")


def test_a_body_above_the_limit_ends_at_the_front_or_at_weir(front):
    body = b"x" * (2 * 1024 * 1024 + 1)
    assert front.request("POST", "/", body, {"X-App": "app", "Content-Type": "application/json"})[0] == 413


def test_the_readme_and_the_files_say_that_the_front_must_be_trusted():
    for name in ("packaging/front/nginx.conf", "packaging/front/haproxy.cfg"):
        assert "trusted_proxies" in (ROOT / name).read_text()
        assert name in (ROOT / "README.md").read_text()
