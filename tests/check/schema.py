"""RFC 8460 4.4 as a JSON schema."""

TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
COUNT = {"type": "integer", "minimum": 0}
HOST = {"type": "string", "pattern": r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*$"}
ADDRESS = {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}
# 4.3: general, TLS, DANE and MTA-STS failures
RESULTS = ["starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted", "validation-failure", "tlsa-invalid",
           "dnssec-invalid", "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"]

FAILURE = {
    "type": "object", "additionalProperties": False, "required": ["result-type", "failed-session-count"],
    "properties": {
        "result-type": {"enum": RESULTS}, "sending-mta-ip": ADDRESS, "receiving-mx-hostname": HOST, "receiving-mx-helo": {"type": "string"},
        "receiving-ip": ADDRESS, "failed-session-count": {"type": "integer", "minimum": 1}, "additional-information": {"type": "string"},
        "failure-reason-code": {"type": "string"}}}

POLICY = {
    "type": "object", "additionalProperties": False, "required": ["policy", "summary"],
    "properties": {
        "policy": {
            "type": "object", "additionalProperties": False, "required": ["policy-type", "policy-domain"],
            "properties": {"policy-type": {"enum": ["tlsa", "sts", "no-policy-found"]}, "policy-string": {"type": "array", "items": {"type": "string"}},
                           "policy-domain": HOST, "mx-host": {"type": "array", "items": {"type": "string"}}}},
        "summary": {
            "type": "object", "additionalProperties": False, "required": ["total-successful-session-count", "total-failure-session-count"],
            "properties": {"total-successful-session-count": COUNT, "total-failure-session-count": COUNT}},
        "failure-details": {"type": "array", "items": FAILURE, "minItems": 1}}}

TLSRPT = {
    "type": "object", "additionalProperties": False, "required": ["organization-name", "date-range", "contact-info", "report-id", "policies"],
    "properties": {
        "organization-name": {"type": "string", "minLength": 1},
        "date-range": {"type": "object", "additionalProperties": False, "required": ["start-datetime", "end-datetime"],
                       "properties": {"start-datetime": TIME, "end-datetime": TIME}},
        "contact-info": {"type": "string", "minLength": 1}, "report-id": {"type": "string", "minLength": 1},
        "policies": {"type": "array", "minItems": 1, "items": POLICY}}}
