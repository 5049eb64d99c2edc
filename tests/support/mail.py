"""aiosmtpd as a mail server of one test.

    python mail.py FOLDER plain|starttls|tls

Prints `smtp://127.0.0.1:PORT` once it serves. Every message that it takes is a line of JSON in FOLDER/mails. What is answered
to the next messages stands in FOLDER/answers, a line each: an answer such as `451 later`, `silent` (it is taken, and no answer
comes), or nothing (it is taken). Where FOLDER/login is there (`user:password`), nobody else may send; FOLDER/tls.pem is the key
and the certificate of `localhost`.
"""

import asyncio
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER = pathlib.Path(sys.argv[1])
MODE = sys.argv[2]


def next_answer():
    path = FOLDER / "answers"
    lines = path.read_text().splitlines() if path.exists() else []
    if not lines:
        return ""
    path.write_text("".join(line + "\n" for line in lines[1:]))
    return lines[0]


class Handler:
    async def handle_DATA(self, server, session, envelope):
        answer = next_answer()
        if answer and answer != "silent":
            return answer
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode("utf-8"),
            "encrypted": session.ssl is not None or MODE == "tls",
            "login": bool(session.authenticated),
        }
        with open(FOLDER / "mails", "a") as mails:
            mails.write(json.dumps(mail) + "\n")
        if answer == "silent":
            await asyncio.sleep(3600)
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    user, password = (FOLDER / "login").read_text().strip().split(":", 1)
    is_right = (data.login.decode(), data.password.decode()) == (user, password)
    return AuthResult(success=is_right, handled=is_right)


async def main():
    context = None
    if MODE != "plain":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(FOLDER / "tls.pem")
    wants_login = (FOLDER / "login").exists()
    loop = asyncio.get_running_loop()

    def server():
        return SMTP(
            Handler(),
            hostname="mail.test",
            loop=loop,
            tls_context=context if MODE == "starttls" else None,
            require_starttls=MODE == "starttls",
            authenticator=authenticator if wants_login else None,
            auth_required=wants_login,
            auth_require_tls=MODE == "starttls",
        )

    serves = await loop.create_server(
        server, "127.0.0.1", 0, ssl=context if MODE == "tls" else None
    )
    port = serves.sockets[0].getsockname()[1]
    print(f"smtp://127.0.0.1:{port}", flush=True)
    await serves.serve_forever()


asyncio.run(main())
