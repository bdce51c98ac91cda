"""`--revdesk-policies`: marked tests run once more under what else the policies that they touched could be."""

import pytest

from tests.testing.conftest import Suite

FOREIGN = """
import pytest

@pytest.mark.revdesk
def test_marked(revdesk):
    assert revdesk.client.get("/v1/calls/call_nobody").status_code == 404

def test_not_marked(revdesk):
    assert revdesk.client.get("/v1/calls/call_nobody").status_code == 404
"""


def test_a_marked_test_runs_under_every_variant_that_it_touches(suite: Suite) -> None:
    ran = suite.run(FOREIGN, "--revdesk-policies=all", "-v")
    again = "test_it.py::test_marked [policy foreign_id_status=403]"
    assert ran.says(f"FAILED {again}", "under the policy foreign_id_status=403")
    assert ran.says("again: pytest test_it.py::test_marked --revdesk-seed=0 --revdesk-policies=foreign_id_status=403")
    assert ran.counts["failed"] == 1
    assert ran.counts["passed"] > 2
    assert "test_not_marked [" not in ran.text
    assert "[100%]" in ran.text


def test_one_policy_or_one_value_can_be_asked_for(suite: Suite) -> None:
    module = """
    import pytest

    @pytest.mark.revdesk(clock="frozen")
    def test_it(revdesk):
        revdesk.client.post("/v1/calls/dial", json={"to_number": "+13125550100", "from_number": "+19995550100"})
    """
    ran = suite.run(module, "--revdesk-policies=unverified_caller_id_status")
    assert ran.counts == {"passed": 4}
    assert suite.run(module, "--revdesk-policies=unverified_caller_id_status=400").counts == {"passed": 2}
    assert suite.run(module, "--revdesk-policies=sub_entity_inherits_hipaa").counts == {"passed": 1}


def test_a_variant_is_in_force_and_ids_are_those_of_the_first_run(suite: Suite) -> None:
    ran = suite.run(
        """
        import pytest

        @pytest.mark.revdesk(clock="frozen")
        def test_it(revdesk):
            print("SEED", revdesk.seed)
            print("STATUS", revdesk.client.get("/v1/calls/call_nobody").status_code)
        """,
        "--revdesk-policies=foreign_id_status",
    )
    assert ran.printed("STATUS ") == ["404", "403"]
    assert len(set(ran.printed("SEED "))) == 1


def test_what_the_marker_settles_stays(suite: Suite) -> None:
    ran = suite.run(
        """
        import pytest

        @pytest.mark.revdesk(policy={"foreign_id_status": "403"})
        def test_it(revdesk):
            assert revdesk.client.get("/v1/calls/call_nobody").status_code == 403
        """,
        "--revdesk-policies=foreign_id_status",
    )
    assert ran.counts == {"passed": 1}


def test_a_test_that_fails_is_not_run_again_and_a_failure_can_end_it_all(suite: Suite) -> None:
    failing = FOREIGN.replace("== 404", "== 200")
    assert suite.run(failing, "--revdesk-policies=foreign_id_status").counts == {"failed": 2}
    unused = FOREIGN.replace("@pytest.mark.revdesk", "@pytest.mark.revdesk(faults=['lost-reply'])")
    assert suite.run(unused, "--revdesk-policies=foreign_id_status").counts == {"passed": 2, "errors": 1}
    stopping = FOREIGN.replace("def test_not", "@pytest.mark.revdesk\ndef test_not")
    assert suite.run(stopping, "--revdesk-policies=foreign_id_status", "-x").counts == {"failed": 1, "passed": 1}


def test_both_ends_of_a_range_are_tried_and_a_limit_without_itself(suite: Suite) -> None:
    ran = suite.run(
        """
        import pytest

        @pytest.mark.revdesk(clock="frozen")
        def test_it(revdesk):
            revdesk.client.post("/v1/calls/dial", json={"to_number": "+13125550100", "from_number": "+14155550100"})
            revdesk.clock.advance(60)
        """,
        "--revdesk-policies=talk_seconds",
        "--revdesk-policies=concurrency_cap",
        "-v",
    )
    for assignment in ("talk_seconds=1", "talk_seconds=14400", "concurrency_cap=off"):
        assert ran.says(f"test_it.py::test_it [policy {assignment}] PASSED")
    assert ran.counts == {"passed": 4}


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("foreign_id", "unknown policy 'foreign_id'; did you mean 'foreign_id_status'?"),
        ("al", "unknown policy 'al'; did you mean 'all'?"),
        ("foreign_id_status=402", "policy foreign_id_status cannot be '402': it takes 404, 403"),
    ],
)
def test_what_is_no_policy_is_refused_at_the_start(suite: Suite, option: str, complaint: str) -> None:
    ran = suite.run(FOREIGN, f"--revdesk-policies={option}")
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert ran.says(f"--revdesk-policies: {complaint}")
