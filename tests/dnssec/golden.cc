// RFC 4035 appendix B and RFC 5155 appendix B as golden zones: records, keys and signatures are the RFCs' own.
//
// Their algorithms are 5 and 7, so that the policy accepts SHA-1 here; the time is one at which their signatures hold.
#include <catch2/catch.hpp>

#include "zone.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Type;
using dnssec::Cut;
using dnssec::Shape;

namespace {

constexpr WallTime april_2004{1081800000};    // 2004-04-12
constexpr WallTime january_2008{1200000000};  // 2008-01-10

dnssec::Policy with_sha1() {
    dnssec::Policy policy;
    policy.sha1 = dnssec::Sha1::accepted;
    return policy;
}

const Zone& rfc4035() {
    static const Zone zone(R"(
example. SOA ns1.example. bugs.x.w.example. 1081539377 3600 300 3600000 3600
example. RRSIG SOA 5 1 3600 20040509183619 20040409183619 38519 example. ONx0k36rcjaxYtcNgq6iQnpNV5+drqYAsC9h7TSJaHCqbhE67Sr6aH2xDUGcqQWu/n0UVzrFvkgO9ebarZ0GWDKcuwlM6eNB5SiX2K74l5LWDA7S/Un/IbtDq4Ay8NMNLQI7Dw7n4p8/rjkBjV7j86HyQgM5e7+miRAz8V01b0I=
example. NS ns1.example.
example. NS ns2.example.
example. RRSIG NS 5 1 3600 20040509183619 20040409183619 38519 example. gl13F00f2U0R+SWiXXLHwsMY+qStYy5k6zfdEuivWc+wd1fmbNCyql0Tk7lHTX6UOxc8AgNf4ISFve8XqF4q+o9qlnqIzmppU3LiNeKT4FZ8RO5urFOvoMRTbQxW3U0hXWuggE4g3ZpsHv480HjMeRaZB/FRPGfJPajngcq6Kwg=
example. MX 1 xx.example.
example. RRSIG MX 5 1 3600 20040509183619 20040409183619 38519 example. HyDHYVT5KHSZ7HtO/vypumPmSZQrcOP3tzWB2qaKkHVPfau/DgLgS/IKENkYOGL95G4N+NzEVyNU8dcTOckT+ChPcGeVjguQ7a3Ao9Z/ZkUO6gmmUW4b89rz1PUxW4jzUxj66PTwoVtUU/iMW6OISukd1EQt7a0kygkg+PEDxdI=
example. NSEC a.example. NS SOA MX RRSIG NSEC DNSKEY
example. RRSIG NSEC 5 1 3600 20040509183619 20040409183619 38519 example. O0k558jHhyrC97ISHnislm4kLMW48C7U7cBmFTfhke5iVqNRVTB1STLMpgpbDIC9hcryoO0VZ9ME5xPzUEhbvGnHd5sfzgFVeGxr5Nyyq4tWSDBgIBiLQUv1ivy29vhXy7WgR62dPrZ0PWvmjfFJ5arXf4nPxp/kEowGgBRzY/U=
example. DNSKEY 256 3 5 AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/lvI5CQePxXHZS4i8dANH4DX3tbHol61ek8EFMcsGXxKciJFHyhl94C+NwILQdzsUlSFovBZsyl/NX6yEbtw/xN9ZNcrbYvgjjZ/UVPZIySFNsgEYvh0z2542lzMKR4Dh8uZffQ==
example. DNSKEY 257 3 5 AQOeX7+baTmvpVHb2CcLnL1dMRWbuscRvHXlLnXwDzvqp4tZVKp1sZMepFb8MvxhhW3y/0QZsyCjczGJ1qk8vJe52iOhInKROVLRwxGpMfzPRLMlGybr51bOV/1se0ODacj3DomyB4QB5gKTYot/K9alk5/j8vfd4jWCWD+E1Sze0Q==
example. RRSIG DNSKEY 5 1 3600 20040509183619 20040409183619 9465 example. ZxgauAuIj+k1YoVEOSlZfx41fcmKzTFHoweZxYnz99JVQZJ33wFS0Q0jcP7VXKkaElXk9nYJXevO/7nAbo88iWsMkSpSR6jWzYYKwfrBI/L9hjYmyVO9m6FjQ7uwM4dCP/bIuV/DKqOAK9NYNC3AHfvCV1Tp4VKDqxqG7R5tTVM=
example. RRSIG DNSKEY 5 1 3600 20040509183619 20040409183619 38519 example. eGL0s90glUqcOmloo/2y+bSzyEfKVOQViD9ZDNhLz/Yn9CQZlDVRJffACQDAUhXpU/oP34ribKBpysRXosczFrKqS5Oa0bzMOfXCXup9qHApeFIku28Vqfr8Nt7cigZLxjK+u0Ws/4lIRjKk7z5OXogYVaFzHKillDt3HRxHIZM=
a.example. DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
a.example. RRSIG DS 5 2 3600 20040509183619 20040409183619 38519 example. oXIKit/QtdG64J/CB+Gi8dOvnwRvqrto1AdQoRkAN15FP3iZ7suB7gvTBmXzCjL7XUgQVcoHkdhyCuzp8W9qJHgRUSwKKkczSyuL64nhgjuDEML8l9wlWVsl7PR2VnZduM9bLyBhaaPmRKX/Fm+v6ccF2EGNLRiY08kdkz+XHHo=
ai.example. A 192.0.2.9
ai.example. RRSIG A 5 2 3600 20040509183619 20040409183619 38519 example. pAOtzLP2MU0tDJUwHOKE5FPIIHmdYsCgTb5BERGgpnJluA9ixOyf6xxVCgrEJW0WNZSsJicdhBHXfDmAGKUajUUlYSAH8tS4ZnrhyymIvk3uArDu2wfT130e9UHnumaHHMpUTosKe22PblOy6zrTpg9FkS0XGVmYRvOTNYx2HvQ=
ai.example. AAAA 2001:db8::f00:baa9
ai.example. RRSIG AAAA 5 2 3600 20040509183619 20040409183619 38519 example. nLcpFuXdT35AcE+EoafOUkl69KB+/e56XmFKkewXG2IadYLKAOBIoR5+VoQV3XgTcofTJNsh1rnF6Eav2zpZB3byI6yo2bwY8MNkr4A7cL9TcMmDwV/hWFKsbGBsj8xSCN/caEL2CWY/5XP2sZM6QjBBLmukH30+w1z3h8PUP2o=
b.example. NSEC ns1.example. NS RRSIG NSEC
b.example. RRSIG NSEC 5 2 3600 20040509183619 20040409183619 38519 example. GNuxHn844wfmUhPzGWKJCPY5ttEX/RfjDoOx9ueK1PtYkOWKOOdiJ/PJKCYB3hYX+858dDWSxb2qnV/LSTCNVBnkm6owOpysY97MVj5VQEWs0lm9tFoqjcptQkmQKYPrwUnCSNwvvclSF1xZvhRXgWT7OuFXldoCG6TfVFMs9xE=
ns1.example. NSEC ns2.example. A RRSIG NSEC
ns1.example. RRSIG NSEC 5 2 3600 20040509183619 20040409183619 38519 example. I4hj+Kt6+8rCcHcUdolks2S+Wzri9h3fHas81rGN/eILdJHN7JpV6lLGPIh/8fIBkfvdyWnBjjf1q3O7JgYO1UdI7FvBNWqaaEPJK3UkddBqZIaLi8Qr2XHkjq38BeQsbp8X0+6h4ETWSGT8IZaIGBLryQWGLw6Y6X8dqhlnxJM=
a.z.w.example. MX 1 ai.example.
a.z.w.example. RRSIG MX 5 2 3600 20040509183619 20040409183619 38519 example. OMK8rAZlepfzLWW75Dxd63jy2wswESzxDKG2f9AMN1CytCd10cYISAxfAdvXSZ7xujKAtPbctvOQ2ofO7AZJ+d01EeeQTVBPq4/6KCWhqe2XTjnkVLNvvhnc0u28aoSsG0+4InvkkOHknKxw4kX18MMR34i8lC36SR5xBni8vHI=
*.w.example. NSEC x.w.example. MX RRSIG NSEC
*.w.example. RRSIG NSEC 5 2 3600 20040509183619 20040409183619 38519 example. r/mZnRC3I/VIcrelgIcteSxDhtsdlTDt8ng9HSBlABOlzLxQtfgTnn8f+aOwJIAFe1Ee5RvU5cVhQJNP5XpXMJHfyps8tVvfxSAXfahpYqtx91gsmcV/1V9/bZAG55CefP9cM4Z9Y9NT9XQ8s1InQ2UoIv6tJEaaKkP701j8OLA=
x.y.w.example. NSEC xx.example. MX RRSIG NSEC
x.y.w.example. RRSIG NSEC 5 4 3600 20040509183619 20040409183619 38519 example. OvE6WUzN2ziieJcvKPWbCAyXyP6ef8cr6CspArVSTzKSquNwbezZmkU7E34o5lmb6CWSSSpgxw098kNUFnHcQf/LzY2zqRomubrNQhJTiDTXa0ArunJQCzPjOYq5t0SLjm6qp6McJI1AP5VrQoKqJDCLnoAlcPOPKAm/jJkn3jk=
)");
    return zone;
}

const Zone& rfc5155() {
    static const Zone zone(R"(
example. SOA ns1.example. bugs.x.w.example. 1 3600 300 3600000 3600
example. RRSIG SOA 7 1 3600 20150420235959 20051021000000 40430 example. Hu25UIyNPmvPIVBrldN+9Mlp9Zql39qaUd8iq4ZLlYWfUUbbAS41pG+68z81q1xhkYAcEyHdVI2LmKusbZsT0Q==
example. NS ns1.example.
example. NS ns2.example.
example. RRSIG NS 7 1 3600 20150420235959 20051021000000 40430 example. PVOgtMK1HHeSTau+HwDWC8Ts+6C8qtqd4pQJqOtdEVgg+MA+ai4fWDEhu3qHJyLcQ9tbD2vvCnMXjtz6SyObxA==
example. DNSKEY 256 3 7 AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LUsAD0QPWU+wzt89epO6tHzkMBVDkC7qphQO2hTY4hHn9npWFRw5BYubE=
example. DNSKEY 257 3 7 AwEAAcUlFV1vhmqx6NSOUOq2R/dsR7Xm3upJj7IommWSpJABVfW8Q0rOvXdM6kzt+TAu92L9AbsUdblMFin8CVF3n4s=
example. RRSIG DNSKEY 7 1 3600 20150420235959 20051021000000 12708 example. AuU4juU9RaxescSmStrQks3Gh9FblGBlVU31uzMZ/U/FpsUb8aC6QZS+sTsJXnLnz7flGOsmMGQZf3bH+QsCtg==
example. NSEC3PARAM 1 0 12 aabbccdd
example. RRSIG NSEC3PARAM 7 1 3600 20150420235959 20051021000000 40430 example. C1Gl8tPZNtnjlrYWDeeUV/sGLCyy/IHie2rerN05XSA3Pq0U3+4VvGWYWdUMfflOdxqnXHwJTLQsjlkynhG6Cg==
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. OSgWSm26B+cS+dDL8b5QrWr/dEWhtCsKlwKLIBHYH6blRxK9rC0bMJPwQ4mLIuw85H2EY762BOCXJZMnpuwhpA==
2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. NSEC3 1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG
2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. OmBvJ1Vgg1hCKMXHFiNeIYHK9XVW0iLDLwJN4TFoNxZuP03gAXEI634YwOc4YBNITrj413iqNI6mRk/r1dOSUw==
2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. A 192.0.2.127
2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. RRSIG A 7 2 3600 20150420235959 20051021000000 40430 example. h6c++bzhRuWWt2bykN6mjaTNBcXNq5UuL5EdK+iDP4eY8I0kSiKaCjg3tC1SQkeloMeub2GWk8p6xHMPZumXlw==
35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3 1 1 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG
35mthgpgcu1qg68fab165klnsnk3dpvl.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. g6jPUUpduAJKRljUsN8gB4UagAX0NxY9shwQAynzo8EUWH+z6hEIBlUTPGj15eZll6VhQqgZXtAIR3chwgW+SA==
b4um86eghhds6nea196smvmlo4ors995.example. NSEC3 1 1 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG
b4um86eghhds6nea196smvmlo4ors995.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. ZkPG3M32lmoHM6pa3D6gZFGB/rhL//Bs3Omh5u4m/CUiwtblEVOaAKKZd7S959OeiX43aLX3pOv0TSTyiTxIZg==
gjeqe526plbf1g8mklp59enfd789njgi.example. NSEC3 1 1 12 aabbccdd ji6neoaepv8b5o6k4ev33abha8ht9fgc A HINFO AAAA RRSIG
gjeqe526plbf1g8mklp59enfd789njgi.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. IVnezTJ9iqblFF97vPSmfXZ5Zozngx3KX3byLTZC4QBH2dFWhf6scrGFZB980AfCxoD9qbbKDy+rdGIeRSVNyw==
ji6neoaepv8b5o6k4ev33abha8ht9fgc.example. NSEC3 1 1 12 aabbccdd k8udemvp1j2f7eg6jebps17vp3n8i58h
ji6neoaepv8b5o6k4ev33abha8ht9fgc.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. gPkFp1s2QDQ6wQzcg1uSebZ61W33rUBDcTj72F3kQ490fEdp7k1BUIfbcZtPbX3YCpE+sIt0MpzVSKfTwx4uYA==
k8udemvp1j2f7eg6jebps17vp3n8i58h.example. NSEC3 1 1 12 aabbccdd kohar7mbb8dc2ce8a9qvl8hon4k53uhi
k8udemvp1j2f7eg6jebps17vp3n8i58h.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. FtXGbvF0+wf8iWkyo73enAuVx03klN+pILBKS6qCcftVtfH4yVzsEZquJ27NHR7ruxJWDNMtOtx7w9WfcIg62A==
q04jkcevqvmu85r014c7dkba38o0ji5r.example. NSEC3 1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG
q04jkcevqvmu85r014c7dkba38o0ji5r.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. hV5I89b+4FHJDATp09g4bbN0R1F845CaXpL3ZxlMKimoPAyqletMlEWwLfFia7sdpSzn+ZlNNlkxWcLsIlMmUg==
r53bq7cc2uvmubfu5ocmm6pers9tk9en.example. NSEC3 1 1 12 aabbccdd t644ebqk9bibcna874givr6joj62mlhv MX RRSIG
r53bq7cc2uvmubfu5ocmm6pers9tk9en.example. RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. aupviViruXs4bDg9rCbezzBMf9h1ZlDvbW/CZFKulIGXXLj8B/fsDJarXVDA9bnUoRhEbKp+HF1FWKW7RIJdtQ==
a.z.w.example. MX 1 ai.example.
a.z.w.example. RRSIG MX 7 2 3600 20150420235959 20051021000000 40430 example. CikebjQwGQPwijVcxgcZcSJKtfynugtlBiKb9FcBTrmOoyQ4InoWVudhCWsh/URX3lc4WRUMivEBP6+4KS3ldA==
)");
    return zone;
}

/// One of the appendices' responses, the sets of the authority section by owner and type, and what it has to mean.
struct Case {
    std::string what, owner;
    Type type;
    Shape shape;
    std::vector<std::pair<std::string, Type>> authority;
    std::string verdict;
};

dnssec::Response response_of(const Case& one, const Zone& zone, std::size_t left_out) {
    std::vector<dns::RRset> authority;
    for (std::size_t index = 0; index < one.authority.size(); ++index) {
        if (index != left_out) authority.push_back(zone.at(one.authority[index].first, one.authority[index].second));
    }
    if (one.shape == Shape::records) return answer(one.owner, one.type, zone.at(one.owner, one.type), authority);
    return denial(one.owner, one.type, one.shape, authority);
}

constexpr std::size_t nothing = 1000;

dnssec::ZoneTrust trust_in(const Zone& zone, Court& court) {
    const dns::RRset& keys = zone.at("example.", Type::dnskey);
    std::vector<dns::Dnskey> anchors;
    for (const Bytes& rdata : keys.records) {
        const dns::Dnskey key = dns::parse_dnskey(rdata).value();
        if (key.is_secure_entry_point()) anchors.push_back(key);
    }
    return court.judge.judge_anchor(name("example."), {}, anchors, keys);
}

void play(const std::vector<Case>& cases, const Zone& zone, WallTime now) {
    for (const Case& one : cases) {
        INFO(one.what);
        Court court(now, with_sha1());
        const dnssec::ZoneTrust trust = trust_in(zone, court);
        REQUIRE(trust.security() == dnssec::Security::secure);
        const auto found = court.judge.judge(response_of(one, zone, nothing), trust);
        INFO(found->reason().text);
        CHECK(verdict(found) == one.verdict);
        // Knock out each record of the proof in turn; without the SOA the rest still proves.
        for (std::size_t index = 0; index < one.authority.size(); ++index) {
            if (one.authority[index].second == Type::soa || one.authority[index].second == Type::ns) continue;
            Court second(now, with_sha1());
            INFO("without " << one.authority[index].first);
            CHECK(verdict(second.judge.judge(response_of(one, zone, index), trust)) == "bogus failure");
        }
    }
}

}  // namespace

TEST_CASE("RFC 4035 appendix B: every answer has its verdict, and without a record of its proof it is bogus") {
    const Type soa = Type::soa, nsec = Type::nsec;
    play({{"B.1 answer", "example.", Type::mx, Shape::records, {}, "secure records"},
          {"B.2 name error",
           "ml.example.",
           Type::a,
           Shape::nxdomain,
           {{"example.", soa}, {"b.example.", nsec}, {"example.", nsec}},
           "secure nxdomain"},
          {"B.3 no data",
           "ns1.example.",
           Type::mx,
           Shape::nodata,
           {{"example.", soa}, {"ns1.example.", nsec}},
           "secure nodata"},
          {"B.4 referral to a signed zone", "a.example.", Type::ds, Shape::records, {}, "secure records"},
          {"B.5 referral to an unsigned zone",
           "b.example.",
           Type::ds,
           Shape::nodata,
           {{"b.example.", nsec}},
           "secure nodata"},
          {"B.6 wildcard expansion",
           "a.z.w.example.",
           Type::mx,
           Shape::records,
           {{"example.", Type::ns}, {"x.y.w.example.", nsec}},
           "secure records"},
          {"B.7 wildcard no data",
           "a.z.w.example.",
           Type::aaaa,
           Shape::nodata,
           {{"example.", soa}, {"x.y.w.example.", nsec}, {"*.w.example.", nsec}},
           "secure nodata"},
          {"B.8 DS at the child: no proof",
           "example.",
           Type::ds,
           Shape::nodata,
           {{"example.", soa}, {"example.", nsec}},
           "bogus failure"},
          {"ENT: y.w.example has names below it",
           "y.w.example.",
           Type::mx,
           Shape::nodata,
           {{"example.", soa}, {"*.w.example.", nsec}},
           "bogus failure"}},
         rfc4035(), april_2004);
}

TEST_CASE("RFC 4035 appendix B.5: b.example is a cut without DS, ns1.example is none") {
    Court court(april_2004, with_sha1());
    const auto trust = trust_in(rfc4035(), court);
    const auto cut = [&](const std::string& owner, Type type) {
        const auto ds = court.judge.judge(denial(owner, Type::ds, Shape::nodata, {rfc4035().at(owner, type)}), trust);
        return dnssec::Judge::cut_of(*ds, court.policy);
    };
    CHECK(cut("b.example.", Type::nsec) == Cut::unsigned_delegation);
    CHECK(cut("ns1.example.", Type::nsec) == Cut::no_cut);
}

TEST_CASE("RFC 5155 appendix B: every answer has its verdict, and without a record of its proof it is bogus") {
    // The whole zone is an opt-out zone: what covers proves nothing secure, what matches does.
    const Type soa = Type::soa, nsec3 = Type::nsec3;
    const std::string apex = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.",
                      a = "35mthgpgcu1qg68fab165klnsnk3dpvl.example.", xw = "b4um86eghhds6nea196smvmlo4ors995.example.",
                      ns1 = "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.",
                      yw = "ji6neoaepv8b5o6k4ev33abha8ht9fgc.example.",
                      ns2 = "q04jkcevqvmu85r014c7dkba38o0ji5r.example.",
                      w = "k8udemvp1j2f7eg6jebps17vp3n8i58h.example.",
                      star = "r53bq7cc2uvmubfu5ocmm6pers9tk9en.example.",
                      ai = "gjeqe526plbf1g8mklp59enfd789njgi.example.";
    play({{"B.1 name error",
           "a.c.x.w.example.",
           Type::a,
           Shape::nxdomain,
           {{"example.", soa}, {apex, nsec3}, {xw, nsec3}, {a, nsec3}},
           "insecure nxdomain"},
          {"B.2 no data", "ns1.example.", Type::mx, Shape::nodata, {{"example.", soa}, {ns1, nsec3}}, "secure nodata"},
          {"B.2.1 no data, empty non-terminal",
           "y.w.example.",
           Type::mx,
           Shape::nodata,
           {{"example.", soa}, {yw, nsec3}},
           "secure nodata"},
          {"B.3 referral to an opt-out unsigned zone",
           "c.example.",
           Type::ds,
           Shape::nodata,
           {{a, nsec3}, {apex, nsec3}},
           "insecure nodata"},
          {"B.4 wildcard expansion",
           "a.z.w.example.",
           Type::mx,
           Shape::records,
           {{"example.", Type::ns}, {ns2, nsec3}},
           "insecure records"},
          {"B.5 wildcard no data",
           "a.z.w.example.",
           Type::aaaa,
           Shape::nodata,
           {{"example.", soa}, {w, nsec3}, {ns2, nsec3}},
           "insecure nodata"},
          {"B.6 DS at the child: no proof",
           "example.",
           Type::ds,
           Shape::nodata,
           {{"example.", soa}, {apex, nsec3}},
           "bogus failure"},
          {"DS at a name that is no cut",
           "ai.example.",
           Type::ds,
           Shape::nodata,
           {{"example.", soa}, {ai, nsec3}},
           "secure nodata"},
          {"a record whose owner is another name's hash", ns1, Type::a, Shape::records, {}, "secure records"},
          {"the NSEC3 of the wildcard, asked for itself",
           "*.w.example.",
           Type::a,
           Shape::nodata,
           {{"example.", soa}, {star, nsec3}},
           "secure nodata"}},
         rfc5155(), january_2008);
}

TEST_CASE("RFC 5155 appendix B.5 whole: the wildcard's NSEC3 comes along, and would contradict an answer of type MX") {
    Court court(january_2008, with_sha1());
    const auto trust = trust_in(rfc5155(), court);
    const std::vector<dns::RRset> authority{rfc5155().at("k8udemvp1j2f7eg6jebps17vp3n8i58h.example.", Type::nsec3),
                                            rfc5155().at("q04jkcevqvmu85r014c7dkba38o0ji5r.example.", Type::nsec3),
                                            rfc5155().at("r53bq7cc2uvmubfu5ocmm6pers9tk9en.example.", Type::nsec3)};
    CHECK(verdict(court.judge.judge(denial("a.z.w.example.", Type::aaaa, Shape::nodata, authority), trust)) ==
          "insecure nodata");
    CHECK(verdict(court.judge.judge(denial("a.z.w.example.", Type::mx, Shape::nodata, authority), trust)) ==
          "bogus failure");
}

TEST_CASE("the golden zones are insecure by the default policy, which takes SHA-1 for unsupported (RFC 9905)") {
    Court court(april_2004);
    const auto trust = trust_in(rfc4035(), court);
    CHECK(trust.security() == dnssec::Security::insecure);
    CHECK(trust.reason().ede == dns::Ede::unsupported_dnskey_algorithm);
    const auto found = court.judge.judge(answer("example.", Type::mx, rfc4035().at("example.", Type::mx)), trust);
    CHECK(verdict(found) == "insecure records");
}

TEST_CASE("the golden zones' signatures are expired today, and the reason says so") {
    Court then(april_2004, with_sha1());
    const auto trust = trust_in(rfc4035(), then);
    Court court(noon, with_sha1());
    const auto found = court.judge.judge(answer("example.", Type::mx, rfc4035().at("example.", Type::mx)), trust);
    CHECK(verdict(found) == "bogus failure");
    CHECK(found->reason().ede == dns::Ede::signature_expired);
    CHECK(found->reason().key_tag == 38519);
    CHECK(found->reason().when == WallTime{1084127779});
    CHECK(trust_in(rfc4035(), court).security() == dnssec::Security::bogus);
}
