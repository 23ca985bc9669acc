#!/usr/bin/python3
"""A real SMTP server (aiosmtpd) that behaves as told.

    smtpserver.py --port 2525 --out mails.jsonl [--mode-file mode] [--starttls | --tls]
                  [--user NAME --password TEXT] [--folder DIR] [--until-eof]

Says "port N", "certificate PATH" and "ready" on standard output. Each accepted mail becomes one
line of JSON in the file --out: time, from and to (the envelope), tls, user, helo, message (as it
came).

The file --mode-file is read again for each command; it holds one line, "MODE [ARGUMENT]". No file,
or an empty one, is "accept":

    accept               take everything
    refuse [ADDRESS]     550 for every recipient, or for this one only
    refuse-sender        550 for the sender
    refuse-data          554 once the mail is there
    refuse-login         535 for every login
    need-login           530 for every recipient
    greylist             451 the first time a sender names a recipient, accepted from then on
    tempfail [ADDRESS]   451 for every recipient, or for this one only
    tempfail-data        451 once the mail is there
    busy                 421 instead of a greeting
    closed               554 instead of a greeting
    drop-connect         close the connection instead of a greeting
    drop                 close the connection once the mail is there, which is lost
    drop-after           accept the mail, and close the connection instead of saying so
    hang                 never greet
    hang-data            never answer once the mail is there
    hang-quit            never answer the farewell
    slow SECONDS         wait before answering once the mail is there
    slow-copies SECONDS  550 for every recipient but the first, after waiting
    echo-password        550 with the password in its text, for every recipient
"""
import argparse
import asyncio
import json
import logging
import os
import time
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

import simulator

FOREVER = 3600


class Server(SMTP):
    """Differs from aiosmtpd's own by the greeting, which may fail."""

    async def _handle_client(self):
        mode, _ = self.event_handler.mode()
        if mode == "hang":
            await asyncio.sleep(FOREVER)
        if mode in ("busy", "closed"):
            await self.push("421 4.3.2 try later" if mode == "busy" else "554 5.3.2 no mail here")
        if mode in ("busy", "closed", "drop-connect"):
            self.transport.close()
            return
        await super()._handle_client()


class Handler:
    def __init__(self, options):
        self.options = options
        self.known = set()
        self.out = open(options.out, "a", encoding="ascii") if options.out else None

    def mode(self):
        """The mode of this moment and its argument."""
        try:
            with open(self.options.mode_file or os.devnull, encoding="utf-8") as file:
                words = file.read().split()
        except FileNotFoundError:
            words = []
        return (words + ["accept"])[0], (words[1:] + [""])[0]

    def authenticate(self, server, session, envelope, mechanism, data):
        mode, _ = self.mode()
        good = (mode != "refuse-login" and isinstance(data, LoginPassword)
                and data.login == self.options.user.encode()
                and data.password == self.options.password.encode())
        return AuthResult(success=good, handled=False, auth_data=self.options.user)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mode()[0] == "refuse-sender":
            return "550 5.7.1 sender not welcome"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        mode, argument = self.mode()
        pair = (envelope.mail_from, address)
        if mode == "refuse" and argument in ("", address):
            return "550 5.1.1 no such user here"
        if mode == "slow-copies" and envelope.rcpt_tos:
            await asyncio.sleep(float(argument))
            return "550 5.1.1 no such user here, either"
        if mode == "need-login":
            return "530 5.7.0 who are you?"
        if mode == "echo-password":
            return f"550 5.1.1 never heard of {self.options.password}"
        if mode == "tempfail" and argument in ("", address):
            return "451 4.3.0 not now"
        if mode == "greylist" and pair not in self.known:
            self.known.add(pair)
            return "451 4.7.1 greylisted, come back"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        mode, argument = self.mode()
        if mode == "hang-data":
            await asyncio.sleep(FOREVER)
        if mode == "slow":
            await asyncio.sleep(float(argument))
        if mode == "refuse-data":
            return "554 5.6.0 we do not want this"
        if mode == "tempfail-data":
            return "451 4.3.0 out of order"
        if mode != "drop":
            self.keep(session, envelope)
        if mode in ("drop", "drop-after"):
            server.transport.abort()
            return "421 4.3.0 never seen"
        return "250 2.0.0 accepted"

    async def handle_QUIT(self, server, session, envelope):
        if self.mode()[0] == "hang-quit":
            await asyncio.sleep(FOREVER)
        return "221 2.0.0 bye"

    def keep(self, session, envelope):
        if self.out:
            mail = {"time": time.time(), "from": envelope.mail_from, "to": envelope.rcpt_tos,
                    "tls": bool(self.options.tls or session.ssl), "user": session.auth_data,
                    "helo": session.host_name,
                    "message": envelope.original_content.decode("utf-8", "surrogateescape")}
            self.out.write(json.dumps(mail) + "\n")
            self.out.flush()


async def serve(options):
    path, context = "", None
    if options.starttls or options.tls:
        path, key = simulator.certificate(options.folder)
        context = simulator.server_context(path, key)
    handler = Handler(options)

    def make():
        return Server(handler, hostname="mail.simulator.example",
                      tls_context=context if options.starttls else None,
                      require_starttls=options.starttls,
                      auth_required=bool(options.user), auth_require_tls=options.starttls,
                      authenticator=handler.authenticate)

    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", options.port, ssl=context if options.tls else None)
    simulator.say_ready(server.sockets[0].getsockname()[1], path)
    async with server:
        await server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    simulator.add_arguments(parser)
    parser.add_argument("--out")
    parser.add_argument("--mode-file")
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    options = parser.parse_args()
    # A login without TLS is what some tests are about, and a broken connection is, too.
    warnings.simplefilter("ignore")
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    if options.until_eof:
        simulator.end_with_input()
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
