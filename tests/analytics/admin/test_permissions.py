"""Who may do what in the admin: look at all, and change overrides alone."""

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from analytics.models import PatientDimension, StepResultFact
from ingest.models import ScheduleOverride
from tests.analytics.admin.pages import address, first, read_only, registered


def test_it_lets_nobody_add_change_or_delete_what_the_pipeline_writes(client: Client, loaded: None) -> None:
    allowed = {}
    for model in read_only():
        key = first(model).pk
        for page in (
            client.get(address(model, "add")),
            client.post(address(model, "add"), {}),
            client.post(address(model, "change", key), {}),
            client.get(address(model, "delete", key)),
            client.post(address(model, "delete", key), {"post": "yes"}),
        ):
            if page.status_code != 403:
                allowed[page.request["PATH_INFO"], page.request["REQUEST_METHOD"]] = page.status_code
        delete = {"action": "delete_selected", "_selected_action": [key], "index": "0", "post": "yes"}
        client.post(address(model), delete)
        assert model._default_manager.filter(pk=key).exists(), f"{model.__name__} deleted from the list"
    assert not allowed


def test_it_asks_a_stranger_to_log_in(databases: None) -> None:
    for model in registered():
        response = Client().get(address(model))
        assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


def test_it_shows_who_may_see_one_table_that_table_alone(loaded: None) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_patientdimension"))
    client = Client()
    client.force_login(reader)
    home = client.get(reverse("admin:index"))
    assert [model["model"] for app in home.context["app_list"] for model in app["models"]] == [PatientDimension]
    open_pages = {}
    for model in registered():
        key = first(model).pk
        for page in (address(model), address(model, "change", key), address(model, "history", key)):
            if (response := client.get(page)).status_code != 403:
                open_pages[page] = response
    mine = PatientDimension
    key = first(mine).pk
    assert set(open_pages) == {address(mine), address(mine, "change", key), address(mine, "history", key)}
    assert client.get(reverse("admin:app_list", args=["ingest"])).status_code == 404
    for response in (home, *open_pages.values(), client.get("/readyz")):
        assert "disk full" not in response.content.decode()


def test_it_lets_a_reader_look_at_an_override_and_not_change_it(loaded: None) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_scheduleoverride"))
    client = Client()
    client.force_login(reader)
    page = address(ScheduleOverride, "change", 1)
    assert client.get(page).status_code == 200
    assert client.post(page, {"milestone_slug": "operation"}).status_code == 403
    assert client.get(address(ScheduleOverride, "add")).status_code == 403
    assert client.get(address(StepResultFact)).status_code == 403
