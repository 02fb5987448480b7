#!/usr/bin/env python3
"""Verifies a bundle of metrust's audit log, without any of the software that wrote it.

Needs Python 3.9 or newer and the package `cryptography` (Debian: python3-cryptography).

    python3 verify.py BUNDLE_DIR [--key VKEY]... [--checkpoint FILE]...
                      [--receipt FILE [--entry FILE]]... [--entries FILE]

For every log in the bundle (a folder that holds `checkpoint` and `tile`):
  1. the checkpoint is signed by the log's key (c2sp.org/signed-note, c2sp.org/tlog-checkpoint);
  2. the root of the Merkle tree (RFC 6962), built again from the entries alone, is the one signed;
  3. every hash tile says the same (c2sp.org/tlog-tiles);
  4. every older checkpoint, kept in the bundle or given with --checkpoint, is signed, and is what
     the first entries of this log give: nothing before it was changed, removed or put in;
  5. every entry is JSON, and no writer's and no agency's sequence numbers have a gap;
  6. it holds nothing else: no file, no entry and no byte beyond what the checkpoint signs.
A receipt (c2sp.org/tlog-proof) must prove its entry, and the log must hold that entry there.

--key names a key that you trust because you have it from elsewhere. Without it, the keys that lie
in the bundle are used, and whoever made the bundle chose those.
--entries writes the entries into a new file, one a line, once all of it holds.
Exit status: 0 all holds; 1 something is wrong (a line beginning with WRONG for each); 2 usage.
"""
import argparse, base64, hashlib, json, os, re, sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit(print("verify.py: the Python package `cryptography` is missing", file=sys.stderr) or 2)

# What lies beside the logs: what every bundle has, and what its README says to put there.
BESIDE = {"README.md", "manifest.json", "openings.txt", "verify.go", "verify.py", "vkeys",
          "trusted.vkeys", "older.checkpoint", "receipt.tlog-proof", "receipt.json"}

findings = []


class Wrong(Exception):
    """Something that does not hold; the text says what."""


def say(text):
    """Prints a line in which nothing steers the terminal: names come from files anybody may have written."""
    print("".join(c if c.isprintable() else "?" for c in text))


# What an incident says where the store lost entries: counters go on from what it still knew.
LOSSES = ("the operator goes on without what the store lost: ",
          "the store lost entries that it had acknowledged")


def wrong(where, what):
    say(f"WRONG: {where}: {what}")
    findings.append(what)
    if len(findings) == 1000:
        sys.exit(print("WRONG: and more") or 1)


# ----- hashes (RFC 6962, section 2.1) -----

def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def all_levels(leaves):
    """levels[h][i] is the hash over the entries i * 2**h up to (i + 1) * 2**h; complete ones only."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return levels


def root(levels, size):
    """The root of the first `size` entries: complete subtrees, joined from the smallest on."""
    result = None
    for height, level in enumerate(levels):
        if size >> height & 1:
            left = level[(size >> height) - 1]
            result = left if result is None else node_hash(left, result)
    return hashlib.sha256(b"").digest() if result is None else result


def root_by_proof(leaf, index, size, proof):
    """The root that an inclusion proof leads to (the walk of RFC 9162, section 2.1.3.2)."""
    last, result = size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Wrong("its proof is too long")
        if index & 1 or index == last:
            result = node_hash(sibling, result)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise Wrong("its proof is too short")
    return result


# ----- signatures (signed-note, tlog-checkpoint) -----

def read_key(vkey):
    """A line `name+id+base64(type, key)`; only type 1, Ed25519 of a log, is of use here."""
    name, key_id, data = vkey.strip().split("+", 2)
    data = base64.b64decode(data, validate=True)
    if len(data) != 33 or data[0] != 1 or hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8] != key_id:
        raise ValueError("not an Ed25519 key of a log")
    return name, bytes.fromhex(key_id), Ed25519PublicKey.from_public_bytes(data[1:])


def unpack(pattern, text, use):
    """What `use` makes of a text of the given form."""
    if not re.fullmatch(pattern, text):
        raise Wrong(f"it has {text[:80]!r} where a number, a hash or a signature should be")
    return use(text)


def number(text):
    return unpack("0|[1-9][0-9]{0,17}", text, int)


def hash_of(text):
    return unpack("[A-Za-z0-9+/]{43}=", text, base64.b64decode)


def open_checkpoint(note, keys):
    """Origin, size and root, and why the signature does not hold; lines of unknown keys are ignored."""
    text, _, signatures = note.decode("utf-8", "replace").rpartition("\n\n")
    if text.count("\n") != 2:
        raise Wrong("it is not a checkpoint")
    origin, size, claimed = text.split("\n")
    why = f"no trusted key of {origin} has signed it"
    for line in signatures.removesuffix("\n").split("\n"):
        _, name, data = unpack("\u2014 [^ +]+ (?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", line, str.split)
        data = base64.b64decode(data)
        for key in [key for known, key_id, key in keys if (known, key_id) == (name, data[:4]) and name == origin]:
            try:
                key.verify(data[4:], (text + "\n").encode())
                why = None
            except InvalidSignature:
                return origin, number(size), hash_of(claimed), f"it bears a false signature of {name}"
    return origin, number(size), hash_of(claimed), why


# ----- one log (tlog-tiles) -----

def read(*path):
    try:
        with open(os.path.join(*path), "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def files_in(folder, above=""):
    """Every file below a folder, by its path; whatever is no folder counts as one, a link too."""
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            yield from files_in(path, above + name + "/")
        else:
            yield above + name, os.path.isfile(path) and not os.path.islink(path)


class Log:
    def __init__(self, folder, name, content, keys):
        self.folder, self.name, self.keys = folder, name, keys
        self.signed_for = {"checkpoint"}
        self.last, self.confirmed, self.loss = {}, [], -1
        note = read(folder, "checkpoint")
        if note is None:
            raise Wrong("its checkpoint is missing")
        try:
            self.origin, self.size, self.root, _ = open_checkpoint(note, keys)
        except Wrong as why:
            raise Wrong(f"checkpoint: {why}") from why
        if self.origin.rpartition("/")[2] != name:
            wrong(name, f"its checkpoint is of another log, {self.origin}")
        there = os.path.isdir(os.path.join(folder, "tile", "entries"))
        first, end = (content or (0, self.size)) if there else (0, 0)
        if content and not 0 <= first <= end:
            wrong(name, "manifest.json names entries that cannot be")
        self.content = (first, min(end, self.size))
        self.levels = all_levels(list(self.leaves()))
        self.check_tiles()
        kept = os.path.join(folder, "checkpoints")
        for file in sorted(os.listdir(kept) if os.path.isdir(kept) else [], key=lambda file: (len(file), file)):
            self.signed_for.add(f"checkpoints/{file}")
            self.check_checkpoint(read(kept, file) or b"", f"checkpoints/{file}", file=file)
        self.older = len(self.confirmed)
        self.check_checkpoint(note, "checkpoint")
        for file, plain in files_in(folder):
            if file not in self.signed_for:
                wrong(name, f"{file} is no part of what was signed")
            elif not plain:
                wrong(name, f"{file} is not a plain file")

    def tile(self, level, n, width):
        """A tile of exactly this width."""
        groups = re.findall("...", str(n).zfill(-(-len(str(n)) // 3) * 3))
        path = "/".join(["tile", str(level)] + ["x" + group for group in groups[:-1]] + groups[-1:])
        path += f".p/{width}" if width < 256 else ""
        self.signed_for.add(path)
        data = read(self.folder, path)
        if data is None:
            wrong(self.name, f"{path} is missing")
        elif level != "entries" and len(data) != 32 * width:
            wrong(self.name, f"{path} has {len(data)} bytes, which are not {width} hashes")
        return path, data or b""

    def hashes(self, level, n, width):
        data = self.tile(level, n, width)[1]
        return [data[i:i + 32] for i in range(0, min(len(data) // 32, width) * 32, 32)]

    def entries(self, n, width):
        path, data = self.tile("entries", n, width)
        entries, at = [], 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at:at + 2], "big")
            entries.append(data[at + 2:end])
            at = end
        if data and (len(entries) != width or at > len(data)):
            wrong(self.name, f"{path} does not hold {width} whole entries and nothing else, but {len(entries)}")
        return entries[:width]

    def verified(self):
        """The entries once more, each compared with the hash that was verified."""
        for n in range(self.content[0] // 256, -(-self.content[1] // 256)):
            for i, entry in enumerate(self.entries(n, min(256, self.size - 256 * n)), 256 * n):
                if leaf_hash(entry) != self.levels[0][i]:
                    raise Wrong(f"entry {i} was changed meanwhile")
                yield entry

    def leaves(self):
        """The hash of every entry; from the hash tiles only where the bundle has no entries."""
        different = 0
        for n in range(-(-self.size // 256)):
            start, width = 256 * n, min(256, self.size - 256 * n)
            tile, made = self.hashes(0, n, width), []
            if start < self.content[1] and start + width > self.content[0]:
                for i, entry in enumerate(self.entries(n, width)):
                    self.check_entry(start + i, entry)
                    made.append(leaf_hash(entry))
                wrong_ones = [i for i in range(len(tile)) if made[i:i + 1] != tile[i:i + 1]]
                different += bool(wrong_ones)
                if wrong_ones and different == 1:
                    wrong(self.name, f"entry {start + wrong_ones[0]} is not the one that tile/0 was made of")
            yield from made + (tile + [bytes(32)] * width)[len(made):width]
        if different > 1:
            wrong(self.name, f"{different - 1} later bundles of entries differ from tile/0 too")

    def check_entry(self, index, entry):
        try:
            fields = json.loads(entry)
            counts = [("writer", str(fields["writer"]), fields["writer_seq"] + 0)]
            if "client_seq" in fields or "agency" in fields:
                counts.append(("agency", str(fields["agency"]), fields["client_seq"] + 0))
        except (ValueError, KeyError, TypeError):
            return wrong(self.name, f"entry {index} is not an entry of an audit log")
        if fields.get("op") == "incident" and str(fields.get("reason")).startswith(LOSSES):
            self.loss = index
        for kind, who, count in counts:
            before, at = self.last.get((kind, who), (count - 1, index))
            if count != before + 1 and self.loss > at:
                print(f"{self.name}: entry {index} has number {count} of {kind} {who}, after number {before}: "
                      f"the store had lost entries, as entry {self.loss} says")
            elif count != before + 1:
                wrong(self.name, f"entry {index} has number {count} of {kind} {who}, after number {before}")
            self.last[kind, who] = count, index

    def check_tiles(self):
        for level in range(1, 8):
            for n in range(-(-(self.size >> 8 * level) // 256)):
                made = self.levels[8 * level][256 * n:256 * n + 256]
                tile = self.hashes(level, n, len(made))
                for i in [i for i in range(len(tile)) if made[i] != tile[i]][:1]:
                    first = (256 * n + i) << 8 * level
                    wrong(self.name, f"entries {first} to {first + (1 << 8 * level) - 1} are not those that "
                                     f"tile/{level} was made of")

    def check_checkpoint(self, note, label, file=None, held=False):
        try:
            origin, size, claimed, why = open_checkpoint(note, self.keys)
            if origin != self.origin or file not in (None, str(size)):
                raise Wrong("it is another checkpoint than its name says")
            if why:
                raise Wrong(why)
            if size > self.size:
                raise Wrong(f"history is shorter than a checkpoint you hold: {self.size} entries, not {size}")
            if root(self.levels, size) != claimed:
                # What the bundle brings along may be forged too: only what you hold narrows what you hold.
                good = max([s for s, h in self.confirmed if s < size and (h or not held)], default=0)
                raise Wrong(f"the first {size} entries do not give the root that was signed; the first wrong "
                            f"entry is one of {good} to {size - 1}")
            self.confirmed.append((size, held))
        except Wrong as why:
            wrong(self.name, f"{label}: {why}")

    def check_receipt(self, lines, note, entry):
        lines = lines[:1] + lines[2:] if lines[1:] and lines[1].startswith("extra ") else lines
        if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1:] or not lines[1].startswith("index "):
            raise Wrong("it is not a receipt")
        index, proof = number(lines[1][6:]), [hash_of(line) for line in lines[2:]]
        _, size, claimed, why = open_checkpoint(note, self.keys)
        if why:
            raise Wrong(why)
        if index >= min(size, self.size):
            raise Wrong(f"its entry {index} lies beyond the end: its checkpoint has {size} entries, the log {self.size}")
        leaf = self.levels[0][index] if entry is None else leaf_hash(entry)
        if root_by_proof(leaf, index, size, proof) != claimed:
            raise Wrong(f"it does not prove this entry {index}")
        if self.levels[0][index] != leaf:
            raise Wrong(f"entry {index} of the log is another one")
        if size <= self.size and root(self.levels, size) != claimed:
            raise Wrong(f"the first {size} entries do not give the root of its checkpoint")
        say(f"{self.name}: receipt confirmed for entry {index}")


# ----- the command line -----

def main():
    def a_file(name):
        if read(name) is None:
            raise argparse.ArgumentTypeError(f"there is no {name}")
        return name, read(name)

    parser = argparse.ArgumentParser(usage="verify.py BUNDLE_DIR [--key VKEY]... [--checkpoint FILE]... "
                                           "[--receipt FILE [--entry FILE]]... [--entries FILE]")
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", type=read_key)
    parser.add_argument("--checkpoint", action="append", type=a_file, default=[])
    parser.add_argument("--receipt", action="append", type=lambda file: [*a_file(file), None], default=[])
    parser.add_argument("--entry", action="append", dest="receipt", type=a_file)
    parser.add_argument("--entries")
    options, receipts = parser.parse_args(), []
    for given in options.receipt:
        if len(given) == 3:
            receipts.append(given)
        elif not receipts or receipts[-1][2] is not None:
            parser.error("--entry stands after its --receipt")
        else:
            receipts[-1][2] = given[1].rstrip(b"\n")
    if not os.path.isdir(options.bundle):
        parser.error(f"{options.bundle} is not a folder")
    keys = options.key or []
    if not keys:
        print("WARNING: no --key given, so the keys in the bundle are used. Whoever wrote the bundle chose them:\n"
              "WARNING: this shows that the bundle agrees with itself, not who wrote it.")
        for line in (read(options.bundle, "vkeys") or b"").decode().split():
            try:
                keys.append(read_key(line))
            except ValueError:
                say(f"WARNING: a line of vkeys is not a key of a log and is left out: {line[:80]!r}")
    ranges = json.loads(read(options.bundle, "manifest.json") or b"{}").get("entries", {})
    given = {os.path.realpath(file[0]) for file in options.checkpoint + options.receipt}
    logs = {}
    for name in sorted(os.listdir(options.bundle)):
        folder = os.path.join(options.bundle, name)
        is_log = any(os.path.exists(os.path.join(folder, part)) for part in ("checkpoint", "checkpoints", "tile"))
        if os.path.islink(folder) or not is_log and name not in BESIDE and os.path.realpath(folder) not in given:
            wrong(name, "it is no part of a bundle, and nothing that was signed vouches for it")
        if not is_log:
            continue
        try:
            content = (ranges[name]["from"], ranges[name]["to"]) if name in ranges else None
            log = Log(folder, name, content, keys)
        except Wrong as why:
            wrong(name, why)
            continue
        if log.origin in logs:
            wrong(name, f"there are two logs of {log.origin}")
        logs[log.origin] = log
        say(f"{name}: {log.size} entries, root {base64.b64encode(log.root).decode()}, "
              f"{log.older} older checkpoints confirmed")
        if log.size and log.content == (0, 0):
            say(f"{name}: ITS ENTRIES ARE NOT HERE: verified from the hash tiles alone, not by what was written")
        elif log.content != (0, log.size):
            say(f"{name}: ONLY entries {log.content[0]} to {log.content[1] - 1} are here and were read; of the others, "
                  "only the hashes were verified")
    held = []
    for file, note in options.checkpoint:
        try:
            held.append((*open_checkpoint(note, keys)[:2], file, note))
            if held[-1][0] not in logs:
                raise Wrong(f"the bundle has no log of {held[-1][0]}")
        except Wrong as why:
            wrong(file, why)
    for origin, size, file, note in sorted(held):
        if origin in logs:
            before = len(findings)
            logs[origin].check_checkpoint(note, file, held=True)
            if len(findings) == before:
                say(f"{logs[origin].name}: {file} confirmed: the first {size} entries are as they were signed then")
    for file, receipt, entry in receipts:
        head, _, note = receipt.partition(b"\n\n")
        try:
            origin = open_checkpoint(note, keys)[0]
            if origin not in logs:
                raise Wrong(f"the bundle has no log of {origin}")
            logs[origin].check_receipt(head.decode("utf-8", "replace").split("\n"), note, entry)
        except Wrong as why:
            wrong(file, why)
    if not logs:
        wrong(options.bundle, "there is no log in it that can be read")
    if options.entries and not findings:
        try:
            with open(options.entries, "xb") as file:
                for log in sorted(logs.values(), key=lambda log: log.name):
                    file.writelines(entry + b"\n" for entry in log.verified())
        except Wrong as why:
            wrong(options.bundle, why)
            os.unlink(options.entries)
        except OSError as why:
            parser.error(str(why))
    if not findings:
        print("All of it holds.")
    return 1 if findings else 0


sys.exit(main())
