"""A patient is erased from a distributed warehouse as from one on a single server, with the same evidence."""

from django.core.management import call_command

from ingest.models import ErasedPatient, PipelineRun
from tests.analytics.test_erasure import PATIENT, delete_patient, found, insert_others, insert_patient, insert_rejects
from tests.citus.conftest import Both
from tests.conftest import Source


def test_it_proves_an_erasure_on_workers(both: Both, small_world: Source) -> None:
    insert_others(small_world)
    insert_patient(small_world)
    insert_rejects(small_world)
    call_command("distribute_warehouse")
    both.run()
    with both.on_one_server():
        loaded = found()["left"]
    assert {place["rows"] for place in loaded}
    on_workers = {place["place"].partition(".")[2]: place["rows"] for place in found()["left"]}
    assert on_workers == {place["place"].partition(".")[2]: place["rows"] for place in loaded}

    delete_patient(small_world)
    both.run("run_pipeline", "--allow-deletes")
    said = found()
    assert (said["status"], said["run_id"], said["left"]) == ("erased", PipelineRun.objects.latest("pk").pk, [])
    assert ErasedPatient.objects.get().patient_id == PATIENT
