#!/usr/bin/env python3
"""Checks the evidence in this folder, with nothing but Python 3.8 or newer.

    python3 check.py [--number NUMBER] [--key VKEY]...

For every entry in the folder `entries`:
  1. its proof leads to the fingerprint (root) of the log that a checkpoint names (RFC 6962,
     section 2.1.1; the text of the proof is C2SP tlog-proof);
  2. that checkpoint is signed by a key of the log (C2SP signed-note, Ed25519, RFC 8032);
  3. with --number, that the entry is about this number: its code in the log is SHA-256 over the
     text `metrust v1 pn`, a byte 0, the opening of its month and the number;
  4. nothing else lies there, and nothing stands in a proof that was not signed.
--key is a key of the log that you have from elsewhere; without it, those in `vkeys` are used, and
whoever made this folder chose those. Exit status: 0 all holds, 1 something does not, 2 usage.
"""
import argparse
import base64
import hashlib
import json
import pathlib
import re
import sys

# What lies beside the entries.
BESIDE = {"README.md", "check.py", "entries", "openings.txt", "report.json", "vkeys"}

# ----- Ed25519 (RFC 8032, section 5.1) -----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point")
    return P - x if x & 1 != sign else x


def add(a, b):
    """The sum of two points in extended coordinates."""
    u, v = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    w, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = v - u, z - w, z + w, v + u
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def point_of(text):
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise ValueError("not a point")
    x = x_of(y, sign)
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(key, message, signature):
    try:
        r, a, s = point_of(signature[:32]), point_of(key), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    if s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


# ----- notes and proofs -----

def read_key(vkey):
    name, key_id, key = vkey.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if len(key) != 33 or key[0] != 1 or expected.hex() != key_id:
        raise ValueError("not a key of a log")
    return name, expected, key[1:]


def read_line(pattern, line):
    """The parts of a line of this form."""
    found = re.fullmatch(pattern, line)
    if not found:
        raise ValueError(f"it has {line[:80]!r} where a number, a hash or a signature should be")
    return found.groups()


def signer_of(note, keys):
    """The text of a note, if one of the keys has signed it."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    if not lines.endswith("\n"):
        raise ValueError("it does not end with a signature")
    # Whoever signed: each line must be a signature, so that nothing else stands there.
    lines = [read_line("\u2014 ([^ +]+) ([A-Za-z0-9+/]+={0,2})", line) for line in lines[:-1].split("\n")]
    for name, signature in lines:
        signature = base64.b64decode(signature, validate=True)
        for known, key_id, key in keys:
            if known == name and key_id == signature[:4] and is_signed(key, text.encode(), signature[4:]):
                return text
    return None


def root_by(leaf, index, size, hashes):
    """The root to which a proof leads (the walk of RFC 9162, section 2.1.3.2)."""
    if index >= size:
        raise ValueError("the log is shorter than that")
    last, result = size - 1, leaf
    for other in hashes:
        if last == 0:
            raise ValueError("the proof is too long")
        if index & 1 or index == last:
            result = hashlib.sha256(b"\1" + other + result).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            result = hashlib.sha256(b"\1" + result + other).digest()
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return result


def check_proof(entry, proof, keys):
    head, _, note = proof.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1":
        raise ValueError("not a proof")
    (index,) = read_line("index (0|[1-9][0-9]{0,17})", lines[1])
    index = int(index)
    hashes = [base64.b64decode(*read_line("([A-Za-z0-9+/]{43}=)", line)) for line in lines[2:]]
    text = signer_of(note, [key for key in keys if note.startswith(key[0] + "\n")])
    if text is None:
        raise ValueError("no key that you trust has signed the checkpoint")
    origin, size, root = text.split("\n")[:3]
    leaf = hashlib.sha256(b"\0" + entry).digest()
    if root_by(leaf, index, int(size), hashes) != base64.b64decode(root):
        raise ValueError("the proof does not lead to the log: this entry was changed")
    return f"entry {index} of the log {origin}, which had {size} entries then"


def check_promise(entry, promise, keys):
    # A promise is signed with the same key, in the name of the log of no single year.
    origin = promise.split("\n")[1]
    named = [(origin, hashlib.sha256(f"{origin}\n".encode() + b"\1" + key).digest()[:4], key)
             for name, _, key in keys if name.startswith(origin)]
    text = signer_of(promise, named)
    if text is None:
        raise ValueError("no key that you trust has signed the promise")
    leaf = base64.b64encode(hashlib.sha256(b"\0" + entry).digest()).decode()
    lines = text.split("\n")
    if lines[0] != "metrust promise v1" or f"leaf {leaf}" not in lines:
        raise ValueError("the promise is about another entry, or this entry was changed")
    return "not in the log yet; the registry has promised, with its signature, to put it there"


# ----- the command line -----

def main():
    parser = argparse.ArgumentParser(usage="check.py [--number NUMBER] [--key VKEY]...")
    parser.add_argument("--number", help="in international form, such as +32475123456")
    parser.add_argument("--key", action="append", help="a key of the log that you have from elsewhere")
    options = parser.parse_args()
    here = pathlib.Path(__file__).resolve().parent
    given = options.key or (here / "vkeys").read_text(encoding="utf-8").split()
    keys = []
    for vkey in given:
        try:
            keys.append(read_key(vkey))
        except ValueError:
            parser.error("a key cannot be read: it looks like name+12345678+AaBb…")
    if not options.key:
        print("Checked with the keys in this folder. Compare them with those that the registry publishes.")
    codes = set()
    openings = here / "openings.txt"
    if options.number and not openings.exists():
        parser.error("there are no openings here, so nobody can tell which number the entries are about")
    if options.number:
        number = "".join(options.number.split())
        for line in openings.read_text(encoding="utf-8").split("\n"):
            words = line.split(" ")
            if len(words) == 3 and len(words[1]) == 64:
                code = hashlib.sha256(b"metrust v1 pn\0" + bytes.fromhex(words[1]) + number.encode())
                codes.add(code.hexdigest()[:32])
    wrong = 0
    signed_for = set()
    for file in sorted((here / "entries").glob("*.json")):
        try:
            entry = file.read_bytes()
            proof, promise = file.with_suffix(".tlog-proof"), file.with_suffix(".promise")
            if proof.exists():
                signed_for |= {file, proof}
                said = check_proof(entry, proof.read_bytes().decode("utf-8"), keys)
            else:
                signed_for |= {file, promise}
                said = check_promise(entry, promise.read_bytes().decode("utf-8"), keys)
            if options.number and json.loads(entry).get("pn") not in codes:
                raise ValueError("it is about another number")
            print(f"{file.name}: holds. {said}" + ("; it is about this number" if options.number else ""))
            fields = json.loads(entry)
            told = ("time", "op", "agency", "seller", "answer", "reason", "finding")
            print("   it says: " + ", ".join(f"{name} {fields[name]}" for name in told if name in fields))
        except (ValueError, IndexError, KeyError, TypeError, OSError) as error:
            print(f"{file.name}: WRONG: {error}")
            wrong += 1
    # Files whose names begin with a point are those of the computer itself, and no entries.
    beside = [file for file in here.iterdir() if file.name not in BESIDE and not file.name.startswith(".")]
    for file in sorted(beside + [file for file in (here / "entries").glob("*") if file not in signed_for]):
        print(f"{file.relative_to(here)!s}: WRONG: it is no part of the evidence: nothing in it was signed")
        wrong += 1
    if not any((here / "entries").glob("*.json")):
        print("There is no entry here.")
        return 1
    if not options.number:
        print("Which number the entries are about was not checked.")
    print("All of it holds." if not wrong else f"{wrong} of the files do not hold.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
