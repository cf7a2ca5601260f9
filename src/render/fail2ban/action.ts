/** Bounds of what the action hands on; the guard has its own and trusts none of these. */
const MOST_REPORTS = 2_000;
/** More than any jail takes for a report, so that all that brought it on is in it. */
export const MOST_LINES = 16;
const LONGEST_LINE = 700;

/**
 * Fail2ban's action (jail.conf(5), Python action files): no shell, so that nothing in a line of a log can be a command.
 * It bans nothing. Each report becomes a file of its own, whole from the moment it has its name, and Fail2ban forgets
 * the address at once: only the guard knows for how long it is banned, and what it does meanwhile is a new report.
 */
export const FAIL2BAN_ACTION = `import json
import os
import time

from fail2ban.server.action import ActionBase

_MOST_REPORTS = ${MOST_REPORTS}
_MOST_LINES = ${MOST_LINES}
_LONGEST_LINE = ${LONGEST_LINE}


class Report(ActionBase):
    """Hands each address that a jail found over to GhostInbox's guard."""

    def __init__(self, jail, name, spool="", **_):
        super(Report, self).__init__(jail, name)
        self._spool = spool
        self._count = 0

    def ban(self, aInfo):
        try:
            if not aInfo["restored"]:
                self._report(aInfo)
        finally:
            self._jail.actions.banManager.getTicketByID(aInfo["fid"])

    def unban(self, aInfo):
        pass

    def _report(self, aInfo):
        if len(os.listdir(self._spool)) >= _MOST_REPORTS:
            self._logSys.error("Too many reports wait for the guard: the one of %s is lost", aInfo["ip"])
            return
        lines = aInfo["matches"].splitlines()[-_MOST_LINES:]
        report = {
            "jail": self._jail.name,
            "ip": str(aInfo["ip"]),
            "failures": int(aInfo["failures"]),
            "limit": int(self._jail.filter.getMaxRetry()),
            "windowSeconds": int(self._jail.filter.getFindTime()),
            "banSeconds": int(self._jail.actions.getBanTime()),
            "lastAt": int(aInfo["time"]),
            "lines": [line[:_LONGEST_LINE] for line in lines],
        }
        self._count += 1
        name = "%020d-%s-%d" % (time.time_ns(), self._jail.name, self._count)
        unfinished = os.path.join(self._spool, ".%s" % name)
        try:
            with open(unfinished, "w", encoding="ascii") as file:
                # Fail2ban's own umask lets nobody else read.
                os.fchmod(file.fileno(), 0o640)
                json.dump(report, file)
                file.flush()
                os.fsync(file.fileno())
            os.rename(unfinished, os.path.join(self._spool, "%s.json" % name))
        except OSError:
            if os.path.exists(unfinished):
                os.unlink(unfinished)
            raise


Action = Report
`;
