/** Limits for reports. The guard has its own and trusts none of these. */
const MOST_REPORTS = 2_000;
/** As many as any jail can need for a report, so that everything that caused it is in it. */
export const MOST_LINES = 100;
const LONGEST_LINE = 700;

/**
 * Fail2ban's action (jail.conf(5), Python action files). It uses no shell, so no part of a log line can become a
 * command. It bans nothing: each report becomes a file, which is complete once it has its name. Fail2ban
 * forgets the address at once, because only the guard knows how long it is banned; later lines make a new report.
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
