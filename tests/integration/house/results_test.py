"""tools/sum_results.py, which decides whether ./test passed, and tools/check_imports.py and check_awaits.py on sources that break a rule."""
import importlib.util
import subprocess
import sys

from weir import ROOT

CTEST = """<testsuite><testcase name="a.Passes" status="run"/>
<testcase name="a.Fails" status="fail"><failure message="Failed"/><system-out>expected 3</system-out></testcase>
<testcase name="a.Skips" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
<system-out>x_test.cc:7: Skipped
no Landlock here

[  SKIPPED ] a.Skips (0 ms)</system-out></testcase>
<testcase name="a_test_NOT_BUILT" status="notrun"><skipped message="Unable to find executable: a_test"/></testcase>
</testsuite>"""
PYTEST = """<testsuites><testsuite name="integration"><testcase classname="x_test" name="test_b"/>
<testcase classname="x_test" name="test_c"><skipped type="pytest.skip" message="WEIR_TEST_DATA is not set">x</skipped></testcase>
<testcase classname="x_test" name="test_d"><error message="fixture broke">trace</error></testcase>
</testsuite></testsuites>"""


def summed(folder, *arguments):
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/sum_results.py"), *arguments, str(folder)], capture_output=True, text=True
    )
    return done.returncode, done.stdout


def test_all_runners_are_added_up_and_a_failure_is_shown_with_its_words(tmp_path):
    (tmp_path / "release.xml").write_text(CTEST)
    (tmp_path / "integration.xml").write_text(PYTEST)
    (tmp_path / "build.log").write_text("error: no such thing\n")
    (tmp_path / "steps.tsv").write_text(f"configure\tpassed\t\nbuild\tfailed\t{tmp_path}/build.log\n")
    code, output = summed(tmp_path)
    assert code == 1
    assert output.splitlines()[-1] == "3 passed, 4 failed, 2 skipped"
    for words in ("FAILED release: a.Fails", "expected 3", "Unable to find executable", "error: no such thing", "fixture broke"):
        assert words in output
    assert "SKIPPED release: a.Skips: no Landlock here\n" in output
    assert "SKIPPED x_test.test_c: WEIR_TEST_DATA is not set\n" in output


def test_a_skip_that_is_not_listed_fails_and_a_listed_one_does_not(tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    (results / "integration.xml").write_text(
        '<testsuite><testcase classname="x_test" name="test_b"/><testcase classname="x_test" name="test_c">'
        '<skipped message="no data"/></testcase></testsuite>'
    )
    listed, unlisted = tmp_path / "listed.txt", tmp_path / "unlisted.txt"
    listed.write_text("# reasons\nx_test.test_c   needs the recorded data\n")
    unlisted.write_text("x_test.test_other   needs something else\n")
    assert summed(results) == (0, "\nSKIPPED x_test.test_c: no data\n\n1 passed, 0 failed, 1 skipped\n")
    assert summed(results, "--expected-skips", str(listed))[0] == 0
    code, output = summed(results, "--expected-skips", str(unlisted))
    assert code == 1 and output.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_that_nothing_ran_is_no_success(tmp_path):
    code, output = summed(tmp_path)
    assert code == 1 and output.splitlines()[-1] == "0 passed, 0 failed, 0 skipped"


def test_a_report_cut_short_is_a_failure(tmp_path):
    (tmp_path / "release.xml").write_text(CTEST[:100])
    code, output = summed(tmp_path)
    assert code == 1 and output.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def complaints(tmp_path, name, text):
    checker = tool("check_imports")
    table = checker.read_table()
    checker.ROOT, checker.SOURCE = tmp_path, tmp_path / "src" / "weir"
    path = checker.SOURCE / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = []
    checker.check_file(path, table, lambda path, line, words: found.append(f"{line}: {words}"))
    return found


def test_an_arrow_the_table_does_not_have_is_found(tmp_path):
    found = complaints(tmp_path, "collect/x.cc", '#include <string>\n#include "weir/store/store.h"\n')
    assert found == ["2: collect may not import store (tools/imports.txt)"]


def test_third_party_headers_in_a_header_are_found(tmp_path):
    text = "#pragma once\n#include <boost/asio/awaitable.hpp>\n#include <fmt/format.h>\n#include <sqlite3.h>\n#include <curl/curl.h>\n"
    found = complaints(tmp_path, "settings/x.h", text)
    assert [line.split(":")[0] for line in found] == ["4", "5"]


def test_a_header_without_pragma_once_is_found(tmp_path):
    assert complaints(tmp_path, "base/x.h", "#include <string>\n") == ["1: a header starts with #pragma once"]


def test_an_await_with_temporaries_that_are_destroyed_twice_is_found():
    found = dict(tool("check_awaits").complaints("""
auto a = co_await change([this, user] { return end(user); });
auto b = co_await verify(known ? hash : "", std::move(password));
auto c = co_await verify("", std::move(password));
auto d = co_await f(Options{.limit = 3});
auto e = co_await change(std::move(edit));  // co_await change([this, user] {});
auto f = co_await initiate<void(Result<>)>([&writer](auto handler) { writer.add(handler ? "x" : "y"); }, std::move(records));
while (co_await stream->next()) use("x", Options{});
"""))
    assert found == {2: "a closure with captures", 3: "a choice", 4: "a literal text", 5: "an initialiser list"}
