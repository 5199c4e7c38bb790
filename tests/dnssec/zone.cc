// Zones from text.
#include "zone.h"

#include <sstream>
#include <stdexcept>

namespace mxtrust::test {

Zone::Zone(const std::string& text) {
    std::vector<dns::Record> records;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string owner, type, rdata;
        if (!(words >> owner >> type)) continue;
        std::getline(words, rdata);
        dns::Record record;
        record.owner = name(owner);
        record.type = dns::type_from_text(type).value();
        record.ttl = dns::Ttl(3600);
        const Result<Bytes> octets = dns::rdata_from_text(record.type, rdata);
        if (!octets) throw std::runtime_error("test zone: " + line + ": " + octets.error().text);
        record.rdata = *octets;
        records.push_back(std::move(record));
    }
    sets_ = dns::group(records);
}

const dns::RRset& Zone::at(const std::string& owner, dns::Type type) const {
    for (const dns::RRset& set : sets_) {
        if (set.owner == name(owner) && set.type == type) return set;
    }
    throw std::runtime_error("test zone: no " + dns::to_text(type) + " at " + owner);
}

dnssec::Response answer(const std::string& owner, dns::Type type, dns::RRset positive,
                        std::vector<dns::RRset> authority) {
    dnssec::Response response;
    response.name = name(owner);
    response.type = type;
    response.shape = dnssec::Shape::records;
    if (positive.type == dns::Type::cname && type != dns::Type::cname) response.shape = dnssec::Shape::cname;
    if (positive.type == dns::Type::dname && positive.owner != response.name) response.shape = dnssec::Shape::dname;
    response.positive = std::move(positive);
    response.authority = std::move(authority);
    response.server = "ns1.example (192.0.2.1)";
    return response;
}

dnssec::Response denial(const std::string& owner, dns::Type type, dnssec::Shape shape,
                        std::vector<dns::RRset> authority) {
    dnssec::Response response;
    response.name = name(owner);
    response.type = type;
    response.shape = shape;
    response.rcode = shape == dnssec::Shape::nxdomain ? dns::Rcode::nxdomain : dns::Rcode::noerror;
    response.authority = std::move(authority);
    response.server = "ns1.example (192.0.2.1)";
    return response;
}

std::string verdict(const dnssec::FindingRef& finding) {
    if (!finding) return "nothing";
    return std::string(dnssec::to_text(finding->security())) + " " + std::string(dnssec::to_text(finding->outcome()));
}

}  // namespace mxtrust::test
