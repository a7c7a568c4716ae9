#!/usr/bin/env python3
"""Checks an export of forge's audit log against signed checkpoints. Shares no code with forge; docs/audit.md says what it does.

    audit-verify.py EXPORT CHECKPOINTS KEYS

EXPORT is what `forge audit export` printed, CHECKPOINTS the lines that were kept outside, KEYS the public keys in PEM or JWK
form. Needs Python 3.8, and either python3-cryptography or the program openssl (3.0). Ends with 0 if nothing is wrong, 1 if
something is, 2 if it was called wrongly, 3 if a file cannot be read.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

SPKI = bytes.fromhex("302a300506032b6570032100")  # what comes before an Ed25519 key in DER (RFC 8410)


def canonical(value):
    """Sorted members, no spaces, UTF-8: the bytes that are hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def read_keys(path):
    """Returns the 32 bytes of each key by its id: the first 16 hexadecimal digits of its SHA-256."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    keys = []
    if text.lstrip().startswith("{"):
        for jwk in json.loads(text)["keys"]:
            keys.append(base64.urlsafe_b64decode(jwk["x"] + "=="))
    else:
        for part in text.split("-----BEGIN PUBLIC KEY-----")[1:]:
            der = base64.b64decode("".join(part.split("-----END PUBLIC KEY-----")[0].split()))
            if not der.startswith(SPKI):
                raise ValueError("a key is not Ed25519")
            keys.append(der[len(SPKI):])
    if not keys:
        raise ValueError(f"{path} holds no key")
    return {sha256(key).hex()[:16]: key for key in keys}


def is_signed(key, message, signature):
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return is_signed_by_openssl(key, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def is_signed_by_openssl(key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, content in (("key", SPKI + key), ("message", message), ("signature", signature)):
            paths[name] = os.path.join(folder, name)
            with open(paths[name], "wb") as file:
                file.write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths["key"], "-rawin"]
        command += ["-in", paths["message"], "-sigfile", paths["signature"]]
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def read_checkpoints(path, keys, findings):
    """Returns the well-signed checkpoints by position. A line that is none was cut off by a full disk and is passed over."""
    good = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                one = json.loads(line)
                statement = (
                    f"forge audit checkpoint 1\nchain {one['chain']}\nposition {one['position']}\n"
                    f"hash {one['hash']}\ntime {one['created_at_micros']}\n"
                ).encode()
                signature = bytes.fromhex(one["signature"])
            except (ValueError, KeyError):
                print(f"note: line {number} of the checkpoints is none")
                continue
            key = keys.get(one["key_id"])
            if key is None or not is_signed(key, statement, signature):
                findings.append(f"the checkpoint at position {one['position']} is not signed by a known key")
            else:
                good.setdefault(one["position"], []).append(one)
    return good


def check_event(line, what, findings):
    """Returns the content hash as it must be."""
    content = sha256(canonical(line["content"]))
    if content.hex() != line["content_hash"]:
        findings.append(f"{what} was changed: its content does not have its hash")
    personal = line["personal"]
    if personal is not None:
        made = sha256(bytes.fromhex(personal["salt"]), canonical(personal["fields"]))
        if made.hex() != line["content"].get("personal_commitment"):
            findings.append(f"{what} was changed: its personal fields are not those it was committed to")
    return content


def check(export, checkpoints, findings):
    chain, before, last, first, unsealed, vouched = None, None, None, None, 0, 0
    with open(export, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
                position = line["position"]
                if position is None:
                    unsealed += 1
                    check_event(line, f"the unsealed event {line['id']}", findings)
                    continue
                content = check_event(line, f"the event at position {position}", findings)
                stated = bytes.fromhex(line["hash"])
                name = line["chain"]
            except (ValueError, KeyError, TypeError) as error:
                findings.append(f"line {number} is no entry: {error}")
                continue
            if chain is None:
                chain, first = name, position
                if position == 1:
                    before = sha256(f"forge audit chain 1\n{chain}\n".encode())
                else:
                    print(f"note: the log begins at position {position}; what came before was not looked at")
            elif position != last + 1:
                findings.append(f"position {position} comes after position {last}")
                before = None
            if name != chain:
                findings.append(f"the event at position {position} is of another chain")
            if before is not None and sha256(before, content) != stated:
                findings.append(f"the chain does not hold at position {position}")
            for checkpoint in checkpoints.pop(position, []):
                if checkpoint["chain"] != chain or checkpoint["hash"] != line["hash"]:
                    findings.append(f"the log at position {position} is not what was signed there")
                else:
                    vouched = position
            before, last = stated, position
    if chain is None and unsealed == 0:
        print(f"{export} holds no entry", file=sys.stderr)
        sys.exit(3)
    for position in sorted(checkpoints):
        if last is None or position > last:
            findings.append(f"the log ends at position {last}, but a checkpoint was signed at position {position}")
        elif position >= first:
            findings.append(f"there is no event at position {position}, at which a checkpoint was signed")
    print(f"chain {chain}: positions {first} to {last}, vouched for through {vouched}; {unsealed} events not sealed yet")


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    findings = []
    try:
        keys = read_keys(sys.argv[3])
        checkpoints = read_checkpoints(sys.argv[2], keys, findings)
        check(sys.argv[1], checkpoints, findings)
    except OSError as error:
        print(error, file=sys.stderr)
        return 3
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for finding in findings:
        print(f"finding: {finding}")
    print("nothing is wrong" if not findings else f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
