"""Tasks are messages: lost ones are sent again from SQL, so that none is held while it is worked on."""

from opskit.celery import create_celery


def test_a_task_is_acknowledged_when_it_is_taken_unless_it_says_otherwise():
    app = create_celery("test", "redis://127.0.0.1:1/0", queue="test")

    @app.task
    def usual() -> None: ...

    @app.task(acks_late=True)
    def unknown_to_sql() -> None: ...

    assert (usual.acks_late, unknown_to_sql.acks_late) == (False, True)
