"""The secret of a second factor that an earlier version kept in clear, after a start."""
import base64
import hashlib
import hmac
import re
import sqlite3
import struct
import time

from people_test import PASSWORD, Browser
from weir import Weir

SECRET = b"canary-of-20-bytes.."


def code(step):
    digest = hmac.new(SECRET, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1_000_000:06}"


def test_a_second_factor_kept_in_clear_is_sealed_at_the_start_and_goes_on(tmp_path):
    data = tmp_path / "data"
    with Weir(data) as weir:
        weir.run("user", "create", "boss@example.com", "--role", "owner", stdin=(PASSWORD + "\n").encode())
    database = sqlite3.connect(data / "settings.db")
    database.execute("update users set totp_secret = ?", (SECRET,))
    database.commit()
    database.close()
    with Weir(data) as weir:
        assert re.search(r"kept in clear", weir.log()) is None
        boss = Browser(weir)
        assert boss.sign_in("boss@example.com")[0] == 401
        sign_in = {"email": "boss@example.com", "password": PASSWORD, "code": code(int(time.time()) // 30)}
        assert boss.ask("POST", "/api/v1/session", sign_in)[0] == 200
        assert boss.ask("GET", "/api/v1/account")[1]["second_factor"] is True
    forms = [SECRET, SECRET.hex().encode(), base64.b64encode(SECRET)]
    files = [path for path in data.rglob("*") if path.is_file() and "clickhouse" not in path.parts]
    assert data / "settings.db" in files and data / "secrets" / "accounts" in files
    for path in files:
        content = path.read_bytes()
        assert not any(form in content for form in forms), path
