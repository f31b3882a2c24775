"""Run cycles until folder and task agree, or nothing more can be done now; then report."""

from __future__ import annotations

import logging

from syncd.engine.context import Context, Options
from syncd.engine.cycle import cycle
from syncd.engine.outcome import Decision
from syncd.engine.report import PARTLY, FolderReport, Trouble, worse
from syncd.engine.run import Run
from syncd.model import Folder
from syncd.state.task_ledger import TaskLedger

log = logging.getLogger("syncd.cycle")


class FolderRun:
    """One run of one folder; `run` may be called once."""

    def __init__(
        self,
        context: Context,
        options: Options,
        folder: Folder,
        ledger: TaskLedger,
        approved: frozenset[int] = frozenset(),
    ) -> None:
        """`approved` are the attachments that `syncd approve` released."""
        self._run = Run(context, options, folder, ledger, approved)
        self.observer = self._run.observer

    def run(self) -> FolderReport:
        """Raises StateError and Stopped alone: without the ledger nothing may be sent."""
        self._run.context.progress.begin(self._run.folder.name)
        if self._run.options.retry:
            self._run.ledger.forget_waits()
        while True:
            trouble = None
            for decision in (decisions := cycle(self._run)):
                self._carry_out(decision)
                trouble = worse(trouble, decision.trouble)
            if trouble is not None or not decisions:
                return self.report(trouble)

    def report(self, trouble: Trouble | None) -> FolderReport:
        """What the run did so far; what failed is remembered from now on."""
        run = self._run
        end = run.policy.at_the_end(run.unsent, run.context.clock())
        self._carry_out(end._replace(trouble=None))
        trouble = worse(trouble, end.trouble)
        alike = run.plan.refused_alike
        if trouble is None and alike and not run.policy.blame.any_accepted:
            trouble = Trouble(PARTLY, alike, "files")
        report = run.report(trouble, end.refusals)
        run.note_report(report)
        run.ledger.write()
        run.context.ledger.flush()
        return report

    def unfinished(self, trouble: Trouble | None = None) -> FolderReport:
        """What the run has done until now; writes nothing, and any thread may ask."""
        return self._run.report(trouble)._replace(in_sync=False)

    def _carry_out(self, decision: Decision) -> None:
        """Do what a decision says, but for the trouble that it may name."""
        run, observer = self._run, self.observer
        if decision.refusals:
            run.ledger.record_refusals(decision.refusals)
        if decision.not_found is not None:
            run.ledger.record_not_found(decision.not_found)
        observer.unreadable |= decision.unreadable
        observer.unsettled |= decision.unsettled
        observer.needs_list = observer.needs_list or decision.needs_list
        if decision.why:
            later = f"; going on in {decision.wait:.0f} s" if decision.wait else ""
            log.warning("%s: %s%s", run.folder.name, decision.why, later)
        if decision.wait:
            run.ledger.write()
            run.context.sleep(decision.wait)
