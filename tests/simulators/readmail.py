#!/usr/bin/python3
"""Read mails by Python's own library and say what is in them, as JSON.

    readmail.py FILE         FILE as smtpserver.py writes it: an array with one object for each mail
    readmail.py --raw FILE   FILE is one mail: one such object, without an envelope

An object has: from, to, tls, user, helo (envelope), headers (name -> list of decoded values),
mailboxes (header -> list of [display name, address]), type (of the whole), parts (list of type,
charset, encoding, text), defects (whatever the library objects to), longest (the longest line in
bytes, without the one that names the boundary), ascii, raw.
"""
import email
import email.header
import email.policy
import email.utils
import json
import sys


def decoded(text):
    return str(email.header.make_header(email.header.decode_header(text)))


def described(raw):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    defects = [repr(defect) for part in mail.walk() for defect in part.defects]
    headers, mailboxes = {}, {}
    for name, value in mail.items():
        headers.setdefault(name, []).append(str(value))
        defects += [f"{name}: {defect!r}" for defect in getattr(value, "defects", [])]
    # The older interface: the newer one keeps the blank between two encoded words of a name.
    for name, value in email.message_from_bytes(raw).items():
        if name in ("From", "To", "Cc", "Bcc", "Reply-To", "Sender"):
            pairs = email.utils.getaddresses(["".join(value.splitlines())])
            mailboxes[name] = [[decoded(who), address] for who, address in pairs]
    return {
        "headers": headers,
        "mailboxes": mailboxes,
        "type": mail.get_content_type(),
        "parts": [{"type": part.get_content_type(),
                   "charset": part.get_content_charset() or "",
                   "encoding": str(part.get("Content-Transfer-Encoding", "")),
                   "text": part.get_content().replace("\r\n", "\n")} for part in parts],
        "defects": defects,
        "longest": max(len(line) for line in raw.split(b"\r\n") if b"; boundary=" not in line),
        "ascii": raw.isascii(),
        "raw": raw.decode("utf-8", "replace"),
    }


def main():
    if sys.argv[1] == "--raw":
        with open(sys.argv[2], "rb") as file:
            said = described(file.read())
    else:
        said = []
        with open(sys.argv[1], encoding="ascii") as file:
            for line in file:
                mail = json.loads(line)
                raw = mail.pop("message").encode("utf-8", "surrogateescape")
                said.append({**mail, **described(raw)})
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
