/** The root process: carries out the guard's requests, a closed list of verbs, and root's own checks (ARCHITECTURE.md). */

import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { createSteadyClock } from "../../host/machine/clock.ts";
import { saveMemoryOnceSettled } from "../../host/machine/late-flags.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { giveSocket } from "../../host/root-files/files.ts";
import { finishRestarts } from "../../host/running/supervise.ts";
import { problems } from "../../host/sockets/unix-socket.ts";
import { createAnchorMails } from "../../jobs/audit/audit-watch.ts";
import { removeLeftOverKeys } from "../../jobs/backup/repository.ts";
import { removesStaleLocks } from "../../mail/dovecot/maildirs.ts";
import { createLogKeeper, mailLogAccess, reopenMailLog } from "../../mail/logs/keep-logs.ts";
import { layoutFrom, USERS } from "../../settings/layout.ts";
import { createKeeperServer } from "../../surfaces/keeper-server.ts";
import { type Repeated, repeat } from "./repeat.ts";
import { createKeeperVerbs } from "./verbs.ts";
import { createClockSetBack } from "./watches/clock-set-back.ts";
import { guardLooks } from "./watches/guard-looks.ts";

const GRACE_MS = 2_000;

const layout = layoutFrom(process.env);
const clock = createSteadyClock();
const verbs = createKeeperVerbs(layout, process.env, clock);
const { watches } = verbs;
const server = createKeeperServer(verbs.obey, (code, detail) =>
  console.error(`${code}: ${problems[code]} (${detail})`),
);
for (const service of await finishRestarts(layout))
  console.log(`keeper: started ${service}, whose restart had been interrupted.`);
await server.start(layout.keeperSocket);
giveSocket(layout.keeperSocket, userIds(USERS.guard));
console.log("keeper: ready");
const logs = createLogKeeper({
  layout,
  clock,
  settings: verbs.logSettings,
  reopen: () => reopenMailLog(layout),
  access: mailLogAccess(),
  say,
});
const lookAtClock = createClockSetBack({
  wall: () => Date.now(),
  elapsed: () => performance.now(),
  reload: (service) => verbs.reload(service),
  flush: () => verbs.obey({ verb: "flush_mail", ids: [] }),
  say,
});
const mailAnchor = createAnchorMails(layout, clock, verbs.mailAlarm);
const looks: readonly Repeated[] = [
  every(SECOND_MS, "the certificate could not be checked", verbs.lookAtCertificate),
  every(MINUTE_MS, "the settings could not be read", verbs.lookAtSettings),
  every(SECOND_MS, "sessions could not be ended again", () => verbs.lateEnds.look()),
  every(SECOND_MS, "the accounts file could not be followed", verbs.lookAtAccounts),
  ...guardLooks({
    layout,
    clock,
    say,
    services: watches.services,
    lockedBy: () => watches.lockedBy(),
    report: () => watches.report(),
    reload: (services) => verbs.reload(...services),
    retry: verbs.retry,
    mail: verbs.mailAlarm,
    language: verbs.alertLanguage,
  }),
  nowAndEvery(MINUTE_MS, "changed files are not in use yet", verbs.reloadUnread),
  every(SECOND_MS, "the parts could not be probed", () => watches.lookAtParts()),
  every(SECOND_MS, "the mail key could not be checked", lookAtMailKey),
  nowAndEvery(SECOND_MS, "the logs could not be kept", () => logs.look()),
  nowAndEvery(5 * SECOND_MS, "private keys that a killed restore left could not be removed", removeLeftOverKeys),
  every(15 * SECOND_MS, "stale locks of mailboxes could not be removed", removeStaleLocks),
  every(SECOND_MS, "the clock could not be checked", lookAtClock),
  nowAndEvery(MINUTE_MS, "no backup could be started", () => watches.backups.look()),
  every(10 * SECOND_MS, "no checks could be started", () => watches.checks.look()),
  every(10 * SECOND_MS, "upgraded components could not be looked for", () => watches.components.look()),
  every(10 * SECOND_MS, "the queue could not be read", () => watches.relay.look()),
  nowAndEvery(MINUTE_MS, "the detectors could not be looked for", () => watches.detectors.look()),
  every(MINUTE_MS, "the audit could not be checked", auditLook),
  every(MINUTE_MS, "old mail could not be looked for", () => watches.retention.look()),
  every(10 * SECOND_MS, "the disk's use could not be recorded", () => watches.disk.look()),
  every(2 * SECOND_MS, "the mailboxes could not be checked", () => watches.mailboxes.look()),
  every(2 * SECOND_MS, "the memory of IMAP sessions could not be checked", () => watches.mailboxes.lookAtMemory()),
  every(5 * SECOND_MS, "the IMAP sessions could not be checked", () => watches.mailboxes.lookAtSessions()),
  every(MINUTE_MS, "no report could be made", () => watches.reports.look()),
  every(MINUTE_MS, "no spam rules could be fetched", () => watches.spamRules.look()),
  nowAndEvery(MINUTE_MS, "the known certificates could not be recorded", () => watches.transparency.look()),
  nowAndEvery(SECOND_MS, "the isolation could not be enforced", () => watches.isolation.look()),
  nowAndEvery(5 * SECOND_MS, "the strict firewall could not be enforced", () => watches.firewall.look()),
];
for (const one of looks) void repeat(one);
saveMemoryOnceSettled();
const end = (): void => void server.stop(GRACE_MS).then(() => process.exit(0));
process.once("SIGTERM", end);
process.once("SIGINT", end);

function every(everyMs: number, failing: string, look: Repeated["look"]): Repeated {
  return { everyMs, failing, look };
}

function nowAndEvery(everyMs: number, failing: string, look: Repeated["look"]): Repeated {
  return { everyMs, failing, look, atOnce: true };
}

function say(what: string): void {
  console.error(`keeper: ${what}`);
}

/** An empty lock file would keep the folder locked for its owner for two minutes. */
async function removeStaleLocks(): Promise<void> {
  const [program = "", ...argv] = removesStaleLocks(layout, "empty");
  const ran = await runProgram(program, argv);
  // find(1) exits with 1 if a lock disappears while it is read.
  if (ran.code > 1) throw new Error(lastLines(ran));
  for (const lock of ran.stdout.split("\n").filter((line) => line !== "")) say(`removed an empty lock: ${lock}`);
}

async function lookAtMailKey(): Promise<void> {
  const failed = await watches.mailKey.look();
  if (failed !== null) say(`dovecot could not be restarted after a change of its key: ${failed}`);
}

async function auditLook(): Promise<void> {
  await watches.audit.look();
  await watches.access.look();
  if (watches.audit.troubles().length > 0) return;
  await mailAnchor();
}
