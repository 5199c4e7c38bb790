"""The lab's certificates: a small authority of its own and the servers' keys, from which TLSA data is computed.

Written as PEM files into the state directory, for the tests that deliver mail: STEM.crt, STEM.key.
"""

import datetime
import hashlib
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

# stem: (issuer or None for self-signed, names; days before and after now). Servers with a usage 3 record may carry
# any name; those below the authority name the hosts that they serve.
CERTIFICATES = {
    "ca": (None, ["Lab Mail Authority"], -30, 365),
    "server": (None, ["mail.lab"], -1, 30),
    "stale": (None, ["mail.lab"], -300, 30),
    "expired": (None, ["mail.lab"], -30, -2),
    "leaf-expired": ("ca", ["mx.dane-ta-expired-leaf.nlx", "dane-ta-expired-leaf.nlx"], -30, -2),
    "leaf-wrong-name": ("ca", ["somebody-else.nlx"], -1, 30),
    "leaf-nexthop": ("ca", ["dane-ta-nexthop-name.nlx"], -1, 30),
    "leaf-alone": ("ca", ["mx.dane-ta-root-unsent.nlx", "mx.dane-ta-bare-key.nlx"], -1, 30),
    "named": (None, ["mx.well.check.nlx"], -1, 90),
    "server-rsa": (None, ["mail.lab"], -1, 30),
    "weak": (None, ["mail.lab"], -1, 30),
    "soon": (None, ["mail.lab"], -20, 5),
    "leaf-future": ("ca", ["mx.future.check.nlx"], 2, 30),
    "no-ca": (None, ["mail.lab"], -1, 30),
    "leaf-no-ca": ("no-ca", ["mx.no-ca.check.nlx"], -1, 30),
    **{f"filler{n}": (None, ["mail.lab"], -1, 30) for n in range(12)},
}


# Others have ECDSA keys.
RSA_BITS = {"server-rsa": 2048, "weak": 1024}


def new_key(stem):
    if stem in RSA_BITS:
        return rsa.generate_private_key(65537, RSA_BITS[stem])
    return ec.generate_private_key(ec.SECP256R1())


def make(directory):
    """Makes all certificates afresh below DIRECTORY."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.utcnow()
    authorities = {}
    for stem, (issuer, names, begin, end) in CERTIFICATES.items():
        key = new_key(stem)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        issuer_name, issuer_key = authorities[issuer] if issuer else (subject, key)
        authority = stem == "ca"
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=begin))
                   .not_valid_after(now + datetime.timedelta(days=end))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        certificate = builder.sign(issuer_key, hashes.SHA256())
        authorities[stem] = (subject, key)
        (directory / f"{stem}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (directory / f"{stem}.key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


class Associations:
    """TLSA association data for the certificates of a directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.certificates = {}

    def data(self, selector, matching, stem):
        """The data in hexadecimal. What is no certificate's stem is taken as the data itself.

        Selectors and matching types nobody defined get the digest that they would most likely have."""
        if stem not in CERTIFICATES:
            return stem
        if stem not in self.certificates:
            pem = (self.directory / f"{stem}.crt").read_bytes()
            self.certificates[stem] = x509.load_pem_x509_certificate(pem)
        certificate = self.certificates[stem]
        if selector == 0:
            data = certificate.public_bytes(serialization.Encoding.DER)
        else:
            data = certificate.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if matching == 0:
            return data.hex()
        return (hashlib.sha512 if matching == 2 else hashlib.sha256)(data).hexdigest()
