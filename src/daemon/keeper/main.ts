/** The root process: renders, reloads and restarts Postfix and Dovecot, and ends sessions, when the guard asks. */
import { setTimeout as pause } from "node:timers/promises";
import { systemClock as clock } from "../../adapters/machine/clock.ts";
import { giveSocket } from "../../adapters/root-files/files.ts";
import { messageOf } from "../../core/error.ts";
import { KeeperServer } from "../../servers/keeper-server.ts";
import { problems } from "../../servers/report.ts";
import { DEFAULT_DATA_DIRECTORY, layoutOf, USERS } from "../../settings/layout.ts";
import { userIds } from "../set-up/site.ts";
import { LOOK_EVERY_MS } from "./follow-certificate.ts";
import { GuardAlarm } from "./guard-alarm.ts";
import { LogKeeper, reopenMailLog } from "./keep-logs.ts";
import { reloadService } from "./parts.ts";
import { KeeperVerbs } from "./verbs.ts";
import { AccountsDbWatch } from "./watch-accounts-db.ts";
import { GuardWatch } from "./watch-guard.ts";

const GRACE_MS = 2_000;

const layout = layoutOf(process.env["GHOSTINBOX_DATA"] ?? DEFAULT_DATA_DIRECTORY);
const verbs = new KeeperVerbs(layout, process.env);
const server = new KeeperServer(
  (command) => verbs.obey(command),
  (code, detail) => console.error(`${code}: ${problems[code]} (${detail})`),
);
await server.start(layout.keeperSocket);
giveSocket(layout.keeperSocket, userIds(USERS.guard));
console.log("keeper: ready");
void followCertificate();
void followAccounts();
void watchGuard();
void watchParts();
void keepLogs();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.once(name, () => {
    void server.stop(GRACE_MS).then(() => process.exit(0));
  });
}

async function followCertificate(): Promise<never> {
  for (;;) {
    await pause(LOOK_EVERY_MS);
    try {
      await verbs.lookAtCertificate();
    } catch (error) {
      console.error(`keeper: the certificate could not be looked at: ${messageOf(error)}`);
    }
  }
}

async function followAccounts(): Promise<never> {
  for (;;) {
    await pause(LOOK_EVERY_MS);
    try {
      await verbs.lookAtAccounts();
    } catch (error) {
      console.error(`keeper: the accounts file could not be followed: ${messageOf(error)}`);
    }
  }
}

async function keepLogs(): Promise<never> {
  const say = (what: string): void => console.error(`keeper: ${what}`);
  const logs = new LogKeeper({ layout, clock, rules: () => verbs.logRules, reopen: () => reopenMailLog(layout), say });
  logs.start();
  for (;;) {
    try {
      await logs.look();
    } catch (error) {
      console.error(`keeper: the logs could not be kept: ${messageOf(error)}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}

async function watchGuard(): Promise<never> {
  const watch = new GuardWatch(layout);
  const say = (what: string): void => console.error(`keeper: ${what}`);
  const alarm = new GuardAlarm({ layout, clock, mail: (alert) => verbs.mailAlarm(alert), say });
  const accounts = new AccountsDbWatch(layout, (service) => reloadService(service, layout));
  for (;;) {
    await pause(LOOK_EVERY_MS);
    try {
      for (const failure of await accounts.look()) say(failure);
      const ended = await watch.look();
      if (ended !== null) say(`the guard (pid ${ended}) answered nothing: killed, to start anew.`);
      verbs.services.look();
      await alarm.look(watch.isRunning);
    } catch (error) {
      say(`the services could not be looked at: ${messageOf(error)}`);
    }
  }
}

async function watchParts(): Promise<never> {
  for (;;) {
    await pause(LOOK_EVERY_MS);
    try {
      verbs.lookAtParts();
    } catch (error) {
      console.error(`keeper: the parts could not be asked: ${messageOf(error)}`);
    }
  }
}
