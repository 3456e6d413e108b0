"""Orders through a real Redis to a real Celery worker."""

import pytest
from alert_bridge.adapters.celery_runs import CeleryRuns
from celery.contrib.testing.worker import start_worker
from opskit.celery import create_celery
from opskit.contracts.runs import START_RUN_TASK, TRAINER_QUEUE, RunOrder
from opskit.errors import Unavailable

pytestmark = pytest.mark.contract

ORDER = RunOrder(run_id="run_0123456789", incident="inc_0123456789", alertname="NexusAnswerSlow", reason="Slow. \u2615")


@pytest.fixture
def starter(redis):
    starter = CeleryRuns(redis.url)
    yield starter
    starter.close()


async def test_an_order_lies_in_trainers_queue_as_the_contract_says(redis, starter):
    redis.start()
    await starter.check()
    await starter.start(ORDER)
    assert redis.take_orders() == [ORDER]


async def test_a_worker_gets_it_as_keyword_arguments(redis, starter, until):
    redis.start()
    got = []
    trainer = create_celery("trainer", redis.url, queue=TRAINER_QUEUE)

    @trainer.task(name=START_RUN_TASK)
    def start_run(**fields):
        got.append(fields)

    await starter.start(ORDER)
    with start_worker(trainer, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        until(lambda: got)
    assert got == [ORDER.model_dump(mode="json")]


async def test_a_broker_may_go_and_come_back(redis, starter):
    with pytest.raises(Unavailable, match=r"The queue of runs cannot be reached\."):
        await starter.start(ORDER)
    with pytest.raises(Unavailable):
        await starter.check()
    redis.start()
    await starter.start(ORDER)
    redis.stop()
    with pytest.raises(Unavailable):
        await starter.start(ORDER)
    redis.start()
    await starter.check()
    await starter.start(ORDER)
    assert redis.take_orders() == [ORDER]
