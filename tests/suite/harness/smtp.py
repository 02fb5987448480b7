"""A mail server that keeps what it is given: one line of JSON a letter, on standard output.

    python smtp.py PORT [refuse=REPLY] [slow=SECONDS] [tls=CERTIFICATE,KEY] [login=USER:PASSWORD]

`refuse` is what every recipient is answered with. `slow` is how long it thinks about a letter. `tls` demands STARTTLS, `login` a log-in.
"""

import asyncio
import json
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Keep:
    def __init__(self, refuse, slow):
        self.refuse = refuse
        self.slow = slow

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            return self.refuse.replace("{address}", address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.slow)
        raw = envelope.original_content
        message = message_from_bytes(raw, policy=policy.default)
        print(
            json.dumps(
                {
                    "from": envelope.mail_from,
                    "to": envelope.rcpt_tos,
                    "tls": session.ssl is not None,
                    "login": bool(session.authenticated),
                    "raw": raw.decode("ascii"),
                    "headers": {name.lower(): str(value) for name, value in message.items()},
                    "text": message.get_content(),
                }
            ),
            flush=True,
        )
        return "250 OK"


async def main():
    port = int(sys.argv[1])
    options = dict(word.split("=", 1) for word in sys.argv[2:])
    settings = {}
    if "tls" in options:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*options["tls"].split(","))
        settings |= {"tls_context": context, "require_starttls": True}
    if "login" in options:
        wanted = LoginPassword(*(word.encode() for word in options["login"].split(":")))

        def authenticate(server, session, envelope, mechanism, given):
            return AuthResult(success=given == wanted)

        settings |= {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": "tls" in options,
        }
    keep = Keep(options.get("refuse"), float(options.get("slow", 0)))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keep, loop=loop, **settings), "127.0.0.1", port
    )
    print("listening", flush=True)
    await server.serve_forever()


asyncio.run(main())
