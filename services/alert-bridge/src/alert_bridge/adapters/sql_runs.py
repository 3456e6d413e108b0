"""Runs and the switch for automatic ones in SQL, beside the incidents that asked for them."""

from datetime import datetime
from typing import Final

from opskit.contracts.runs import DEFAULT_TARGET, RunOrder, RunReport
from opskit.database import storable
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from alert_bridge.adapters.sessions import Sessions
from alert_bridge.adapters.tables import AutomationRow, RunRow
from alert_bridge.runs import Automation, Run, Target, end_of

_LONGEST_MESSAGE: Final = 4000


class SqlRuns:
    """Satisfies `RunStore`, `AutomationStore` and `Outbox`."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = Sessions(engine)

    def note(self, order: RunOrder, *, now: datetime) -> Run:
        """Keep that trainer has this order."""
        with self._sessions.one_at_a_time() as session:
            row = find_run(session, order.run_id)
            if row is None:
                row = _new_row(order, now)
                session.add(row)
            elif row.order is None:  # its report was faster than its order
                row.order, row.target, row.incident = order.model_dump(mode="json"), order.target, _incident(order)
            if row.ordered_at is None:
                row.ordered_at = now
            return row.value()

    def end(self, run_id: str, report: RunReport, *, now: datetime) -> Run:
        """Keep how a run ended."""
        with self._sessions.one_at_a_time() as session:
            row = find_run(session, run_id)
            if row is None:
                row = RunRow(id=run_id, target=DEFAULT_TARGET, message="")
                session.add(row)
            if row.finished_at is None:
                row.finished_at = end_of(report, started_at=row.started_at, now=now)
                row.outcome = report.outcome
                row.message = storable(report.message)[:_LONGEST_MESSAGE]
            return row.value()

    def waiting(self) -> list[RunOrder]:
        """Runs that were decided and nobody has."""
        query = select(RunRow).where(RunRow.ordered_at.is_(None), RunRow.finished_at.is_(None)).order_by(RunRow.seq)
        with self._sessions.open() as session:
            return [RunOrder.model_validate(row.order) for row in session.scalars(query)]

    def mark_ordered(self, run_id: str, *, now: datetime) -> None:
        """This one was handed over."""
        with self._sessions.open() as session:
            waits = (RunRow.id == run_id, RunRow.ordered_at.is_(None))
            session.execute(update(RunRow).where(*waits).values(ordered_at=now))

    def automation(self) -> Automation:
        """As it was set last."""
        with self._sessions.open() as session:
            return _automation(session)

    def set_automation(self, automation: Automation) -> None:
        """Keep another turn of the switch."""
        with self._sessions.one_at_a_time() as session:
            session.add(
                AutomationRow(
                    paused=automation.paused,
                    by=automation.by,
                    reason=automation.reason,
                    changed_at=automation.changed_at,
                )
            )


def find_run(session: Session, run_id: str) -> RunRow | None:
    """The run with this id."""
    return session.scalar(select(RunRow).where(RunRow.id == run_id))


def keep_decided(session: Session, order: RunOrder, *, now: datetime) -> RunRow:
    """The run of a decision, waiting to be handed over. One that is known already, because the record of its incident
    was lost, is left as it is."""
    row = find_run(session, order.run_id)
    if row is None:
        row = _new_row(order, now)
        session.add(row)
    return row


def look_at(session: Session, target: str) -> Target:
    """What a decision needs to know of a target."""
    of_target = RunRow.target == target
    unfinished = session.scalar(
        select(RunRow)
        .where(of_target, RunRow.finished_at.is_(None))
        # One that still waits is in flight for as long as it does; of the others the last one is.
        .order_by(RunRow.ordered_at.is_not(None), RunRow.ordered_at.desc())
        .limit(1)
    )
    last_finish = session.scalar(select(func.max(RunRow.finished_at)).where(of_target))
    return Target(
        name=target,
        unfinished=unfinished.value() if unfinished is not None else None,
        last_finish=last_finish,
        automation=_automation(session),
    )


def _automation(session: Session) -> Automation:
    row = session.scalar(select(AutomationRow).order_by(AutomationRow.seq.desc()).limit(1))
    return row.value() if row is not None else Automation()


def _new_row(order: RunOrder, now: datetime) -> RunRow:
    return RunRow(
        id=order.run_id,
        target=order.target,
        incident=_incident(order),
        order=order.model_dump(mode="json"),
        started_at=now,
        message="",
    )


def _incident(order: RunOrder) -> str | None:
    return storable(order.incident) if order.incident is not None else None
