/** The root process: renders, reloads and restarts Postfix and Dovecot, and ends sessions, when the guard asks. */

import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { SteadyClock } from "../../host/machine/clock.ts";
import { saveMemoryOnceSettled } from "../../host/machine/late-flags.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { giveSocket } from "../../host/root-files/files.ts";
import { finishRestarts } from "../../host/running/supervise.ts";
import { problems } from "../../host/sockets/unix-socket.ts";
import { mailAnchor } from "../../jobs/audit/audit-watch.ts";
import { removeLeftOverKeys } from "../../jobs/backup/repository.ts";
import { reloadService } from "../../mail/configuration/parts.ts";
import { removesStaleLocks } from "../../mail/dovecot/maildirs.ts";
import { LogKeeper, reopenMailLog } from "../../mail/logs/keep-logs.ts";
import { layoutFrom, USERS } from "../../settings/layout.ts";
import { KeeperServer } from "../../surfaces/keeper-server.ts";
import { type Repeated, repeat } from "./repeat.ts";
import { KeeperVerbs } from "./verbs.ts";
import { ClockSetBack } from "./watches/clock-set-back.ts";
import { guardLooks } from "./watches/guard-looks.ts";

const GRACE_MS = 2_000;

const layout = layoutFrom(process.env);
const clock = new SteadyClock();
const verbs = new KeeperVerbs(layout, process.env, clock);
const { watches } = verbs;
const server = new KeeperServer(
  (command) => verbs.obey(command),
  (code, detail) => console.error(`${code}: ${problems[code]} (${detail})`),
);
for (const service of await finishRestarts(layout))
  console.log(`keeper: ${service}, which was being restarted, is started.`);
await server.start(layout.keeperSocket);
giveSocket(layout.keeperSocket, userIds(USERS.guard));
console.log("keeper: ready");
const looks: readonly Repeated[] = [
  { everyMs: SECOND_MS, failing: "the certificate could not be looked at", look: () => verbs.lookAtCertificate() },
  { everyMs: MINUTE_MS, failing: "the settings could not be read", look: () => verbs.lookAtSettings() },
  { everyMs: SECOND_MS, failing: "the accounts file could not be followed", look: () => verbs.lookAtAccounts() },
  ...guardLooks({
    layout,
    clock,
    say,
    services: watches.services,
    lockedBy: () => watches.lockedBy(),
    reload: (service) => reloadService(service, layout),
    mail: (alert) => verbs.mailAlarm(alert),
    language: () => verbs.alertLanguage,
  }),
  { everyMs: SECOND_MS, failing: "the parts could not be asked", look: () => watches.lookAtParts() },
  { everyMs: SECOND_MS, failing: "the key of the mail could not be looked at", look: lookAtMailKey },
  { everyMs: SECOND_MS, atOnce: true, failing: "the logs could not be kept", look: logsLook() },
  {
    everyMs: 5 * SECOND_MS,
    atOnce: true,
    failing: "private keys that a killed restore left could not be removed",
    look: async () => removeLeftOverKeys(),
  },
  { everyMs: 15 * SECOND_MS, failing: "stale locks of mailboxes could not be removed", look: removeStaleLocks },
  { everyMs: SECOND_MS, failing: "the clock could not be looked at", look: clockLook() },
  { everyMs: MINUTE_MS, atOnce: true, failing: "no backup could be started", look: () => watches.backups.look() },
  { everyMs: 10 * SECOND_MS, failing: "no checks could be started", look: () => watches.checks.look() },
  {
    everyMs: 10 * SECOND_MS,
    failing: "upgraded components could not be looked for",
    look: () => watches.components.look(),
  },
  { everyMs: 10 * SECOND_MS, failing: "the queue could not be read", look: () => watches.relay.look() },
  { everyMs: MINUTE_MS, failing: "the audit could not be checked", look: auditLook },
  { everyMs: MINUTE_MS, failing: "old mail could not be looked for", look: () => watches.retention.look() },
  { everyMs: 10 * SECOND_MS, failing: "the disk could not be noted", look: () => watches.disk.look() },
  { everyMs: 2 * SECOND_MS, failing: "the mailboxes could not be looked at", look: () => watches.mailboxes.look() },
  {
    everyMs: 2 * SECOND_MS,
    failing: "the memory of IMAP sessions could not be looked at",
    look: () => watches.mailboxes.lookAtMemory(),
  },
  {
    everyMs: 5 * SECOND_MS,
    failing: "the IMAP sessions could not be looked at",
    look: () => watches.mailboxes.lookAtSessions(),
  },
  { everyMs: MINUTE_MS, failing: "no report could be made", look: () => watches.reports.look() },
  { everyMs: MINUTE_MS, failing: "no rules could be fetched", look: () => watches.spamRules.look() },
  {
    everyMs: MINUTE_MS,
    atOnce: true,
    failing: "the known certificates could not be noted",
    look: () => watches.transparency.look(),
  },
  {
    everyMs: SECOND_MS,
    atOnce: true,
    failing: "the isolation could not be kept",
    look: () => watches.isolation.look(),
  },
  {
    everyMs: 5 * SECOND_MS,
    atOnce: true,
    failing: "the strict firewall could not be kept",
    look: () => watches.firewall.look(),
  },
];
for (const one of looks) void repeat(one);
saveMemoryOnceSettled();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.once(name, () => {
    void server.stop(GRACE_MS).then(() => process.exit(0));
  });
}

function say(what: string): void {
  console.error(`keeper: ${what}`);
}

/** An empty lock file would keep the folder locked for its owner for two minutes. */
async function removeStaleLocks(): Promise<void> {
  const [program = "", ...argv] = removesStaleLocks(layout, "empty");
  const ran = await runProgram(program, argv);
  for (const lock of ran.stdout.split("\n").filter((line) => line !== "")) say(`removed an empty lock: ${lock}`);
}

async function lookAtMailKey(): Promise<void> {
  const failed = await watches.mailKey.look();
  if (failed !== null) say(`dovecot could not be restarted with or without its key: ${failed}`);
}

function logsLook(): () => Promise<void> {
  const logs = new LogKeeper({ layout, clock, rules: () => verbs.logRules, reopen: () => reopenMailLog(layout), say });
  logs.start();
  return () => logs.look();
}

async function auditLook(): Promise<void> {
  await watches.audit.look();
  await watches.access.look();
  if (watches.audit.troubles().length > 0) return;
  await mailAnchor({ layout, clock, mail: (alert) => verbs.mailAlarm(alert) });
}

function clockLook(): () => Promise<void> {
  const setBack = new ClockSetBack({
    wall: () => Date.now(),
    elapsed: () => performance.now(),
    reload: (service) => verbs.reload(service),
    flush: () => verbs.obey({ verb: "flush_mail", ids: [] }),
    say,
  });
  return () => setBack.look();
}
