"""The checker's own test: for each rule something wrong that it must flag, and something right that it must let pass."""
import re
from pathlib import Path

import judging
from house import coroutines, pitfalls, rooms, text


def _await(statement: str) -> dict[str, str]:
    return {"resolver/resolve/sample.cc": f"// A sample.\ntask::Task<int> f() {{\n    {statement}\n}}\n"}


RIGHT_AWAITS = [
    "co_await f(x);",
    "co_return co_await f(std::move(x), 3);",
    "Result<Response> response = co_await exchange(std::move(query));",
    "response = co_await exchange(query, now + limit);",
    "auto response = co_await network_.exchange_datagram(server, std::move(query), matcher, deadline);",
    "const std::vector<int> all = co_await task::when_all<int>(std::move(tasks));",
    "if (ready) co_return co_await f(x);",
    "for (auto& item : items) { Answer answer = co_await tools_->resolver.resolve(item, type, budget); }",
    "case Shape::cname: answer = co_await follow(name); break;",
    "// if (co_await f()) in a comment\nco_await f(x);",
    'log("co_await f({x})");',
    "this->answer_ = co_await std::move(task);",
    "std::optional<Answer> answer = co_await flight_.join(key);",
    "Answer answer = co_await resolve(dns::Name(name), type, state_->budget(time));",
]
WRONG_AWAITS = [
    "if (co_await f(x)) return;",
    "while (co_await f(x)) { }",
    "for (int i = co_await f(); i < 3; ++i) { }",
    "auto [a, b] = co_await f(x);",
    "int y = co_await f(Question{name, type});",
    "int y = co_await f({1, 2});",
    "int y = co_await f([&] { return 1; });",
    "int y = co_await f(a ? b : c);",
    "int y = a ? co_await f(b) : 0;",
    "int y = g(co_await f(x));",
    "int y = co_await f(x) + 1;",
    "int y = 1 + co_await f(x);",
    "int y{co_await f(x)};",
    "int y(co_await f(x));",
    "int y = co_await f(co_await g(x));",
    "bool y = co_await f(x) == 3;",
    "int y = co_await f(a && b);",
    "int y = co_await f(a == b);",
    "table[3] = co_await f(x);",
    "const auto& y = co_await f(x);",
    "y += co_await f(x);",
    "auto g = [x]() -> task::Task<int> { co_return 1; };",
    "auto g = [] { co_await f(); };",
    "auto value = (co_await f(x)).value();",
    "co_return 1 + co_await f(x);",
    "co_return Answer{co_await f(x)};",
    "switch (co_await f(x)) { }",
]
RIGHT_PARAMETERS = [
    "task::Task<int> f(dns::Name name, std::shared_ptr<const Zone> zone);",
    "task::Task<Result<int>> f(std::function<void(const int&)> ready);",
    "/// `request` outlives the task: the connection owns both.\ntask::Task<int> f(const Request& request);",
    "task::Task<int> f(const Request& request);  // awaited in the same statement by serve()",
    "Answer f(const dns::Name& name);",
    "Task<int> task_ = f(a & b);",
]
WRONG_PARAMETERS = [
    "task::Task<int> f(const dns::Name& name);",
    "task::Task<Result<std::vector<int>>> Resolver::State::f(int a, dns::Name& name) {\n co_return 1; }",
    "task::Task<void> f(std::string_view name);",
    "virtual task::Task<int> f(BytesView data) = 0;",
    "task::Task<int> f(Name&& name) const;",
]


def _one(path: str, source: str) -> dict[str, str]:
    return {"resolver/dns/name.h": "// Names.\n#pragma once\n", "resolver/dns/types.h": "// Types.\n#pragma once\n",
            "resolver/base/bytes.h": "// Bytes.\n#pragma once\n", "resolver/net/loop.h": "// Loop.\n#pragma once\n",
            path: source}


# title, rule, files, flagged?
CASES = [
    ("dns may include base", rooms.layering, _one("resolver/dns/x.cc", '// X.\n#include "base/bytes.h"\n'), False),
    ("base may not include dns", rooms.layering, _one("resolver/base/x.cc", '// X.\n#include "dns/name.h"\n'), True),
    ("crypto may include dns/types.h", rooms.layering, _one("resolver/crypto/x.cc", '// X.\n#include "dns/types.h"\n'), False),
    ("crypto may not include dns/name.h", rooms.layering, _one("resolver/crypto/x.cc", '// X.\n#include "dns/name.h"\n'), True),
    ("an include in a comment is none", rooms.layering, _one("resolver/base/x.cc", '// X.\n// #include "dns/name.h"\n'), False),
    ("includes are written from the root", rooms.layering, _one("resolver/dns/x.cc", '// X.\n#include "name.h"\n'), True),
    ("relative includes are refused", rooms.layering, _one("resolver/dns/x.cc", '// X.\n#include "../base/bytes.h"\n'), True),
    ("mail may not include net", rooms.layering, _one("resolver/mail/x.cc", '// X.\n#include "net/loop.h"\n'), True),
    ("a room that is none", rooms.layering, _one("resolver/util/x.cc", '// X.\n#include "base/bytes.h"\n'), True),
    ("uv.h in net", rooms.third_party, _one("resolver/net/x.cc", "// X.\n#include <uv.h>\n"), False),
    ("uv.h in serve", rooms.third_party, _one("resolver/serve/x.cc", "// X.\n#include <uv.h>\n"), True),
    ("openssl in dnssec", rooms.third_party, _one("resolver/dnssec/x.cc", "// X.\n#include <openssl/evp.h>\n"), True),
    ("spdlog in log/log.h", rooms.third_party, _one("resolver/log/log.h", "// X.\n#include <spdlog/spdlog.h>\n"), True),
    ("spdlog in log/log.cc", rooms.third_party, _one("resolver/log/log.cc", "// X.\n#include <spdlog/spdlog.h>\n"), False),
    ("json in route", rooms.third_party, _one("resolver/route/x.cc", "// X.\n#include <nlohmann/json.hpp>\n"), True),
    ("a library nobody named", rooms.third_party, _one("resolver/net/x.cc", "// X.\n#include <boost/asio.hpp>\n"), True),
    ("a socket header in a pure room", rooms.third_party, _one("resolver/mail/x.cc", "// X.\n#include <sys/socket.h>\n"), True),
    ("the standard library", rooms.third_party, _one("resolver/mail/x.cc", "// X.\n#include <vector>\n"), False),
    ("the clock in a pure room", rooms.purity, _one("resolver/mail/x.cc", "// X.\nauto t = std::chrono::system_clock::now();\n"), True),
    ("the clock in a comment", rooms.purity, _one("resolver/mail/x.cc", "// Never system_clock::now().\n"), False),
    ("a second source of time", rooms.purity, _one("resolver/net/x.cc", "// X.\nauto t = std::chrono::steady_clock::now();\n"), True),
    ("a second source of chance", rooms.purity, _one("resolver/resolve/x.cc", "// X.\nstd::random_device d;\n"), True),
    ("the one source of time", rooms.purity, _one("resolver/base/clock.cc", "// X.\nauto t = std::chrono::steady_clock::now();\n"), False),
    ("a code twice", text.codes, _one("resolver/dns/x.cc", '// X.\nfail("DABC"_code); fail("DABC"_code);\n'), True),
    ("a code of another room", text.codes, _one("resolver/dns/x.cc", '// X.\nfail("MABC"_code);\n'), True),
    ("a code of three letters", text.codes, _one("resolver/dns/x.cc", '// X.\nfail("DAB"_code);\n'), True),
    ("two codes, one of them in a comment too", text.codes,
     _one("resolver/dns/x.cc", '// See "DABC"_code.\nfail("DABC"_code); fail("DABD"_code);\n'), False),
    ("a long file", text.sizes, _one("resolver/dns/x.cc", "// X.\n" * 601), True),
    ("a file of 600 lines", text.sizes, _one("resolver/dns/x.cc", "// X.\n" * 600), False),
    ("a file without an opening", text.openings, _one("resolver/dns/x.cc", "#include <vector>\n"), True),
    ("a header without pragma once", text.openings, _one("resolver/dns/x.h", "// X.\nint f();\n"), True),
    ("using namespace in a header", text.openings, _one("resolver/dns/x.h", "// X.\n#pragma once\nusing namespace std;\n"), True),
    ("a path of a machine", text.machine, _one("resolver/dns/x.cc", "// See /" + "work/main.\n"), True),
    ("a package registry", text.machine, {"tests/x": "curl http://deb" + ".debian.org/\n"}, True),
    ("a folder that users lack", text.machine, {"tests/run": "cat .." + "/shared/x\n"}, True),
    ("Python that is none", text.scripts, {"tests/x/run": "#!/usr/bin/python3\nlate answers as it likes\n"}, True),
    ("shell that is none", text.scripts, {"tests/x/install": "#!/bin/sh\nif true; then\n"}, True),
    ("scripts that can be read", text.scripts, {"tests/x.py": "answer = 42\n", "tests/x": "#!/bin/sh\ntrue\n"}, False),
    ("a path below a variable", text.machine, {"tests/run": 'cat $TMPDIR/tmp/x; cat /run/mxtrust/query.sock\n'}, False),
    ("a sleeping test", text.patience, {"tests/net/x.cc": "// X.\nstd::this_thread::sleep_for(1s);\n"}, True),
    ("a stranger on the top level", text.top_level, {"docs/x": ""}, True),
    ("the top level of the house", text.top_level, {"README.md": "", ".ci/run": "", "tests/run": ""}, False),
]


def _toolchain() -> list[str]:
    """The forms that tests/toolchain pins as wrong are the ones that are flagged, and no others."""
    source = (Path(__file__).parent.parent / "toolchain/forms.cc").read_text(encoding="utf-8")
    found = []
    for block in re.split(r"^#(?=(?:el)?if FORM)", source, flags=re.M)[1:]:
        title, _, code = block.partition("\n")
        flagged = bool(coroutines.awaits({"tests/toolchain/forms.cc": code.split("#endif")[0]}))
        if flagged != ("forbidden" in title):
            found.append(f"{title}: {'flagged' if flagged else 'not flagged'}")
    return found


JUDGED = [
    # status, words, passed, failed, what must be told
    (0, "3 passed, 0 failed\n", 3, 0, []),
    (0, "All tests passed (12 assertions in 2 test cases)\n", 2, 0, []),
    (0, "5 passed, 0 failed (of 5)\nremoved what it had made\n", 5, 0, []),
    (1, "2 passed, 1 failed\n", 2, 1, ["2 passed, 1 failed"]),
    (1, "FAILED  it answers\n        SERVFAIL\n2 passed, 1 failed\n", 2, 1, ["FAILED  it answers", "        SERVFAIL"]),
    (1, "a.cc:7: FAILED:\n  REQUIRE( a == b )\nwith expansion:\n  1 == 2\n\ntest cases: 3 | 2 passed | 1 failed\n", 2, 1,
     ["a.cc:7: FAILED:", "  REQUIRE( a == b )", "with expansion:", "  1 == 2"]),
    (1, "Traceback (most recent call last):\n  File x\nKeyError: 'time'\n", 0, 1, ["Traceback (most recent call last):", "KeyError: 'time'"]),
    (0, "", 0, 1, []),
    (-6, "9 passed, 0 failed\n==7==ERROR: AddressSanitizer: heap-use-after-free\n", 9, 1, ["==7==ERROR: AddressSanitizer: heap-use-after-free"]),
    (1, "WARNING: ThreadSanitizer: data race\n  #0 f\n" + "one more\n" * 99 + "8 passed, 1 failed\n", 8, 1,
     ["WARNING: ThreadSanitizer: data race", "  #0 f", "8 passed, 1 failed"]),
]


def _judged():
    """What tests/run makes of a program's status and words."""
    for status, words, passed, failed, told in JUDGED:
        count = judging.judge("it", status, words)
        silent = [line for line in told if f"    {line}" not in count.notes]
        if (count.passed, count.failed) != (passed, failed) or silent or bool(failed) != bool(count.notes):
            yield f"{words!r}, status {status}: {count}, not told: {silent}"


def run():
    """title and what went wrong with it, for each sample."""
    yield "the toolchain test's forms", _toolchain()
    yield "what tests/run makes of a program's words", list(_judged())
    for statement in RIGHT_AWAITS:
        found = coroutines.awaits(_await(statement))
        yield f"right: {statement}", [f"flagged: {line}" for line in found]
    for statement in WRONG_AWAITS:
        yield f"wrong: {statement}", [] if coroutines.awaits(_await(statement)) else ["not flagged"]
    for declaration in RIGHT_PARAMETERS:
        found = coroutines.parameters({"resolver/resolve/sample.h": f"// A sample.\n{declaration}\n"})
        yield f"right: {declaration}", [f"flagged: {line}" for line in found]
    for declaration in WRONG_PARAMETERS:
        flagged = coroutines.parameters({"resolver/resolve/sample.h": f"// A sample.\n{declaration}\n"})
        yield f"wrong: {declaration}", [] if flagged else ["not flagged"]
    for title, rule, files, wrong in CASES:
        found = rule(files)
        if wrong:
            yield title, [] if found else ["not flagged"]
        else:
            yield title, [f"flagged: {line}" for line in found]
    yield "the build's arrows", [] if rooms.build_arrows("room(base USES dns)\n") and not rooms.build_arrows(
        "room(dns USES base LIBRARIES x)\n") else ["not as it must be"]
    named = "".join(f'TEST_CASE("{n}: x") {{}}\nTEST_CASE("{n} twin: x") {{}}\n' for n in range(1, pitfalls.RULES + 1))
    yield "a rule of validation without test or twin", [] if not pitfalls.pitfalls({"tests/a.cc": named}) and len(
        pitfalls.pitfalls({"tests/a.cc": named.replace('"7 twin: ', '"seven: ').replace('"9: ', '"9 ')})) == 2 else ["not as it must be"]
    fuzz = {"resolver/dns/name.h": "// Names.\n"}
    yield "a parser without a fuzz target", [] if text.fuzzed(fuzz, Path("/nonexistent")) else ["not flagged"]
