"""Which value a secret gets, and what a user may provide."""

import pytest
from gateway.keys import BOOTSTRAP_MIN_LENGTH
from gateway.keys import weakness as gateways_weakness
from provisioning.errors import CannotProvision
from provisioning.secret_making import weakness
from provisioning.secret_table import SECRETS, Brought, Made, of_reader
from provisioning.settling import settle

GOOD = "a-good-secret-of-some-length"
MADE = {secret.name for secret in SECRETS if isinstance(secret.origin, Made)}


class TestASecret:
    def test_is_made_when_there_is_none(self):
        settled = settle({}, {}, may_make=True)
        assert settled.made.keys() == MADE
        assert str(settled) == f"0 kept, {len(MADE)} made"

    def test_is_kept_when_it_was_made_before(self):
        first = settle({}, {}, may_make=True)
        second = settle({}, first.made, may_make=True)
        assert second.values == first.values
        assert str(second) == f"{len(MADE)} kept, 0 made"

    def test_that_is_provided_wins_over_one_that_was_made(self):
        first = settle({}, {}, may_make=True)
        second = settle({"nexus_internal_token": GOOD}, first.made, may_make=True)
        assert second.values == {**first.values, "nexus_internal_token": GOOD}
        assert str(second) == f"1 provided, {len(MADE) - 1} kept, 0 made"

    def test_of_a_foreign_server_is_there_only_when_somebody_brings_it(self):
        brought = {secret.name for secret in SECRETS if isinstance(secret.origin, Brought)}
        assert settle({}, {}, may_make=True).values.keys().isdisjoint(brought)
        assert settle({"nexus_model_api_key": "sk"}, {}, may_make=True).values["nexus_model_api_key"] == "sk"

    def test_that_was_made_is_good_enough_for_our_own_rules(self):
        made = settle({}, {}, may_make=True).made
        settle(made, {}, may_make=False)

    def test_that_may_not_be_made_is_named_with_all_the_others(self):
        provided = dict.fromkeys(MADE - {"postgres_password", "nexus_internal_token"}, GOOD)
        with pytest.raises(CannotProvision, match=r"NEXUS_GENERATE_SECRETS=no .*: nexus_internal_token, postgres_pass"):
            settle(provided, {}, may_make=False)
        settle({**provided, "postgres_password": GOOD}, {"nexus_internal_token": GOOD}, may_make=False)


class TestWhatIsProvided:
    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("nexus_bootstrap_key", "hunter2", "nexus_bootstrap_key must have at least 24 characters"),
            ("nexus_bootstrap_key", "ab" * 20, "repeats too few characters"),
            ("nexus_internal_token", "with a space in the middle", "without spaces"),
            ("postgres_password", "two\nlines-of-a-password", "must be one line"),
            ("minio_root_user", "me", "at least 3"),
            ("nexus_internal_token", "", "is empty"),
            ("nexus_rag_database_url", "postgresql://a\npostgresql://b", "must be one line"),
            (
                "nexus_intrenal_token",
                GOOD,
                r"Nobody reads .* nexus_intrenal_token; did you mean nexus_internal_token\?",
            ),
            ("password", GOOD, "Nobody reads"),
        ],
    )
    def test_is_refused_with_the_reason_when_it_is_weak_or_unknown(self, name, value, told):
        with pytest.raises(CannotProvision, match=told) as refusal:
            settle({name: value}, {}, may_make=True)
        assert "\n" not in str(refusal.value)
        assert not value or value not in str(refusal.value)

    @pytest.mark.parametrize("key", ["short", "é" * 24, "with space " * 3, "abcabc" * 6, "nx_" + "0123456789" * 3])
    def test_is_judged_as_the_gateway_judges_its_admin_key(self, key):
        assert (weakness(key, BOOTSTRAP_MIN_LENGTH) is None) == (gateways_weakness(key) is None)


class TestWhatDerives:
    def test_has_the_password_of_postgresql_even_with_odd_characters_in_it(self):
        values = settle({"postgres_password": "p@ss/w:rd%with?odd"}, {}, may_make=True).values
        login = "postgresql+psycopg://nexus:p%40ss%2Fw%3Ard%25with%3Fodd@postgres:5432"
        assert values["nexus_alert_bridge_database_url"] == f"{login}/alert_bridge"
        assert values["mlflow_backend_store_uri"] == f"{login}/mlflow"

    def test_gives_the_key_of_the_chatbot_unless_it_is_provided_a_lesser_one(self):
        values = settle({}, {}, may_make=True).values
        assert values["nexus_api_key"] == values["nexus_bootstrap_key"]
        assert settle({"nexus_api_key": "lesser"}, {}, may_make=True).values["nexus_api_key"] == "lesser"

    def test_gives_way_to_a_database_and_an_object_store_of_the_users_own(self):
        mine = {"nexus_rag_database_url": "postgresql+psycopg://me@db/rag", "nexus_s3_access_key": "AKIA"}
        values = settle(mine, {}, may_make=True).values
        assert of_reader("rag", values)["nexus_rag_database_url"] == "postgresql+psycopg://me@db/rag"
        assert of_reader("ingest", values)["nexus_s3_access_key"] == "AKIA"
        assert of_reader("mlflow", values)["aws_access_key_id"] == values["minio_root_user"]

    def test_tells_minio_where_events_go_and_with_the_header_that_ingest_wants(self):
        values = settle({"nexus_events_token": GOOD}, {}, may_make=True).values
        lines = values["minio.env"].splitlines()
        assert f"MINIO_ROOT_PASSWORD='{values['minio_root_password']}'" in lines
        assert f"MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_NEXUS='Bearer {GOOD}'" in lines
        assert "MINIO_NOTIFY_WEBHOOK_ENDPOINT_NEXUS='http://ingest:8082/events/s3'" in lines
