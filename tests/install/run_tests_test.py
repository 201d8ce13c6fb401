"""run_tests.py counts test cases, and a program that fails after its last case as one failure. Run by ctest."""
import importlib.util
import pathlib
import sys
import tempfile

spec = importlib.util.spec_from_file_location("run_tests", sys.argv[1])
run_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_tests)

JUNIT = """<testsuite>
<testcase name="a_test" status="run"/>
<testcase name="b_test" status="fail"><failure message=""/></testcase>
<testcase name="plain" status="run"/>
<testcase name="plain_broken" status="fail"><failure message=""/></testcase>
<testcase name="not_here" status="notrun"><skipped message=""/></testcase>
</testsuite>"""
A = """<testsuites><testsuite><testcase status="run" result="completed"/>
<testcase status="run" result="skipped"><skipped message=""/></testcase>
<testcase status="notrun" result="suppressed"/></testsuite></testsuites>"""
A_CHILD = '<testsuites><testsuite><testcase status="run" result="completed"/></testsuite></testsuites>'
B = '<testsuites><testsuite><testcase status="run" result="completed"/></testsuite></testsuites>'

with tempfile.TemporaryDirectory() as folder:
    results = pathlib.Path(folder)
    (results / "junit").write_text(JUNIT)
    (results / "a_test.xml").write_text(A_CHILD)
    (results / "a_test_1.xml").write_text(A)
    (results / "b_test.xml").write_text(B)
    (results / "other_a_test.xml").write_text(B)
    counts = run_tests.count(results / "junit", results)
    assert counts == [3, 2, 2], counts
    assert run_tests.count(results / "none", results) == [0, 0, 0]
print("counts are right")
