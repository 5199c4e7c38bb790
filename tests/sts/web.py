"""What stands around a daemon that looks for policies of MTA-STS: a DNS zone that can be changed, web servers with every kind of
fault, mail servers. All of it in threads of this process, on loopback addresses of the lab's namespace."""
import datetime
import socket
import socketserver
import ssl
import threading
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ZONE = "sts.oldx"               # below a TLD that is proven to be unsigned
DNS_ADDRESS = "127.0.0.77"
WEB_ADDRESS = "127.0.0.78"
NGINX_ADDRESS = "127.0.0.79"
DEAD_ADDRESS = "127.0.0.80"     # nobody listens there


class Authority:
    """A certificate authority of this test's own, and certificates by it."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "STS test authority")])
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.sign(self.key, self.name, [], -30, 365, True).public_bytes(serialization.Encoding.PEM))

    def sign(self, key, subject, names, begin, end, authority=False, issuer=None):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or self.name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=begin))
                   .not_valid_after(now + datetime.timedelta(days=end))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def context(self, name, kind="good"):
        """A server's TLS: kind is good, expired, wrong-name, self-signed, no-names (the subject alone names the host) or old-tls."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = {"wrong-name": ["somebody-else.example"], "no-names": []}.get(kind, [name])
        begin, end = (-30, -2) if kind == "expired" else (-2, 30)
        if kind == "self-signed":
            stranger = Authority.__new__(Authority)
            stranger.key, stranger.name = key, subject
            certificate = stranger.sign(key, subject, names, begin, end)
        else:
            certificate = self.sign(key, subject, names, begin, end)
        file = self.folder / f"{name}.{kind}.pem"
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                         + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "old-tls":
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(file)
        return context


class Records:
    """The zone: (owner below it, type) → lines of rdata. Everything else does not exist."""

    def __init__(self):
        self.lines, self.asked, self.ttl = {}, {}, 1
        self.lock = threading.Lock()
        self.servers = []

    def put(self, owner, rrtype, *lines):
        with self.lock:
            self.lines[(f"{owner}.{ZONE}", rrtype)] = lines

    def put_elsewhere(self, name, rrtype, *lines):
        """At a name that is a stub zone of its own."""
        with self.lock:
            self.lines[(name, rrtype)] = lines

    def take(self, owner, rrtype):
        with self.lock:
            self.lines.pop((f"{owner}.{ZONE}", rrtype), None)

    def count(self, owner, rrtype):
        return self.asked.get((f"{owner}.{ZONE}", rrtype), 0)

    def answer(self, wire):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        owner, rrtype = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        with self.lock:
            self.asked[(owner, rrtype)] = self.asked.get((owner, rrtype), 0) + 1
            found = self.lines.get((owner, rrtype))
            exists = any(name == owner or name.endswith("." + owner) for name, _ in self.lines) or owner == ZONE
        if owner == ZONE and rrtype in ("SOA", "NS"):
            found = [f"ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 1"] if rrtype == "SOA" else [f"ns.{ZONE}."]
        if found:
            reply.answer.append(dns.rrset.from_text_list(question.name, self.ttl, "IN", rrtype, list(found)))
            return reply.to_wire()
        reply.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
        reply.authority.append(dns.rrset.from_text(f"{ZONE}.", 1, "IN", "SOA", f"ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 1"))
        return reply.to_wire()

    def serve(self):
        records = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                self.request[1].sendto(records.answer(self.request[0]), self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            def handle(self):
                while len(head := self.rfile.read(2)) == 2:
                    reply = records.answer(self.rfile.read(int.from_bytes(head, "big")))
                    self.wfile.write(len(reply).to_bytes(2, "big") + reply)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        for kind, handler in ((socketserver.ThreadingUDPServer, Datagram), (socketserver.ThreadingTCPServer, Stream)):
            server = kind((DNS_ADDRESS, 53), handler)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


class Page:
    """What the web server of one domain does."""

    def __init__(self, text, *, status="200 OK", media="text/plain", certificate="good", slow=0.0, extra=""):
        self.text, self.status, self.media, self.certificate, self.slow, self.extra = text, status, media, certificate, slow, extra


class Listening:
    """Gives each connection to talk(), in a thread of its own."""

    def __init__(self, address, port):
        self.server = socket.create_server((address, port), backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def stop(self):
        self.server.close()


class Web(Listening):
    """HTTPS for every mta-sts host, told apart by SNI."""

    def __init__(self, authority):
        self.authority, self.pages, self.contexts, self.hits, self.seen = authority, {}, {}, {}, []
        self.ended: dict[str, int] = {}
        self.down = False
        self.making = threading.Lock()      # of a certificate: two who ask at once get the same one
        super().__init__(WEB_ADDRESS, 443)

    def put(self, domain, page, zone=f".{ZONE}"):
        self.pages[f"mta-sts.{domain}{zone}"] = page

    def count(self, domain):
        return self.hits.get(f"mta-sts.{domain}.{ZONE}", 0)

    def through(self, domain):
        """How often its page was sent to the end."""
        return self.ended.get(f"mta-sts.{domain}.{ZONE}", 0)

    def context(self, host):
        kind = self.pages[host].certificate if host in self.pages else "self-signed"
        with self.making:
            if (host, kind) not in self.contexts:
                self.contexts[host, kind] = self.authority.context(host, kind)
            return self.contexts[host, kind]

    def talk(self, connection):
        names = []

        def choose(tls, name, _):
            names.append(name)
            tls.context = self.context(name)
        try:
            if self.down:
                return connection.close()
            connection.settimeout(30)
            first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            first.minimum_version = ssl.TLSVersion.TLSv1
            first.set_ciphers("ALL:@SECLEVEL=0")
            first.sni_callback = choose
            # A certificate for who names nobody; it is never the right one.
            first.load_cert_chain(self.authority.folder / "nobody.example.self-signed.pem")
            if self.is_old(connection):
                first.maximum_version = ssl.TLSVersion.TLSv1_1
            with first.wrap_socket(connection, server_side=True) as tls:
                self.reply(tls, names[0])
        except (OSError, ssl.SSLError, IndexError, KeyError):
            connection.close()

    def is_old(self, connection):
        """Is the host asked for one that speaks TLS 1.1 only? The name stands in the clear in the first message."""
        hello = connection.recv(4096, socket.MSG_PEEK)
        return any(page.certificate == "old-tls" and host.encode() in hello for host, page in self.pages.items())

    def reply(self, tls, host):
        page = self.pages[host]
        self.hits[host] = self.hits.get(host, 0) + 1
        request = tls.recv(65536).decode()
        self.seen.append(request)
        body = page.text.encode() if isinstance(page.text, str) else page.text
        head = f"HTTP/1.1 {page.status}\r\nContent-Type: {page.media}\r\nContent-Length: {len(body)}\r\n{page.extra}Connection: close\r\n\r\n"
        if page.extra.startswith("Transfer-Encoding"):
            head = head.replace(f"Content-Length: {len(body)}\r\n", "")
        if page.slow:
            tls.sendall(head.encode())
            for octet in body:
                time.sleep(page.slow)
                tls.sendall(bytes([octet]))
        else:
            tls.sendall(head.encode() + body)
        self.ended[host] = self.ended.get(host, 0) + 1


class Receiver(Listening):
    """A mail server that takes everything; STARTTLS with the given context. Notes (recipient, by TLS?)."""

    def __init__(self, address, context):
        self.context, self.taken = context, []
        super().__init__(address, 25)

    def talk(self, connection):
        try:
            connection.settimeout(30)
            self.session(connection, "clear")
        except (OSError, ssl.SSLError):
            connection.close()

    def session(self, connection, transport):
        file = connection.makefile("rwb")

        def say(line):
            file.write(line.encode() + b"\r\n")
            file.flush()
        if transport == "clear":
            say("220 receiver ESMTP")
        recipients = []
        while line := file.readline().decode(errors="replace").strip():
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb == "EHLO":
                say("250-receiver" if transport == "clear" else "250 receiver")
                if transport == "clear":
                    say("250 STARTTLS")
            elif verb == "STARTTLS":
                say("220 go")
                file.close()
                return self.session(self.context.wrap_socket(connection, server_side=True), "tls")
            elif verb == "RCPT":
                recipients.append(line[line.index("<") + 1:line.index(">")])
                say("250 ok")
            elif verb == "DATA":
                say("354 go on")
                while file.readline() not in (b".\r\n", b""):
                    pass
                self.taken += [(recipient, transport) for recipient in recipients]
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        connection.close()
        return None
