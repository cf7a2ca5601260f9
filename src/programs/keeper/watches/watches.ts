import type { KeeperReply, KeeperTrouble } from "../../../admin/declare/keeper.ts";
import type { Clock } from "../../../guard/ports.ts";
import { IS_IMAGE } from "../../../host/running/checkout.ts";
import { portsOf } from "../../../host/running/ports.ts";
import { signal } from "../../../host/running/processes.ts";
import { allCommands } from "../../../host/running/read-processes.ts";
import type { ServiceName } from "../../../host/running/runit.ts";
import { restartHanging, restartService } from "../../../host/running/supervise.ts";
import { ask } from "../../../host/sockets/control-client.ts";
import { createAccountsFollower } from "../../../jobs/accounts-file/follow-accounts.ts";
import { createAccessReviewWatch, createAuditWatch } from "../../../jobs/audit/audit-watch.ts";
import { createDatabaseQuestions } from "../../../jobs/audit/database-questions.ts";
import { createBackupJob } from "../../../jobs/backup/backup-job.ts";
import { createCheckJob } from "../../../jobs/check/check-job.ts";
import { runBehind } from "../../../jobs/job.ts";
import { createReportJob } from "../../../jobs/report/report-job.ts";
import { createRetentionJob } from "../../../jobs/retention/retention-job.ts";
import { createRulesJob } from "../../../jobs/spam-rules/spam-rules.ts";
import { createCertificateFollower, reloadCertificate } from "../../../mail/certificates/follow-certificate.ts";
import { checkInForce } from "../../../mail/configuration/parts.ts";
import { Mailboxes } from "../../../mail/dovecot/mailboxes.ts";
import { unusedOwnDovecot } from "../../../mail/dovecot/own-dovecot.ts";
import { readQueue } from "../../../mail/postfix/mail-queue.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Settings } from "../../../settings/schema.ts";
import { createMailKeyWatch } from "./mail-key-watch.ts";
import { awaitAnswers, type Probe, probesOf } from "./probes.ts";
import { createCertificateWatch } from "./watch-certificates.ts";
import { createComponentWatch, replacedSinceStart } from "./watch-components.ts";
import { createDetectorWatch } from "./watch-detectors.ts";
import { createDiskSpaceWatch } from "./watch-disk-space.ts";
import { createFirewallWatch, createIsolationWatch, isolationOf, strictFirewall } from "./watch-firewall.ts";
import { createLockWatch, createReaderWatch } from "./watch-locks.ts";
import { createMailboxWatch, mailboxServer } from "./watch-mailboxes.ts";
import { createPartsWatch, createStoppedWatch, measureStarvation } from "./watch-parts.ts";
import { createRelayWatch } from "./watch-relay.ts";
import { createServiceWatch } from "./watch-services.ts";

/** Ending the sessions of fifty accounts takes this long. */
const ACCOUNTS_TIMEOUT_MS = 60_000;

type WatchedServer = Readonly<{
  /** Null while they cannot be read. */
  settings: Settings | null;
  clock: Clock;
  /** Changes of configurations and restarts of services run one after the other. */
  inTurn: (work: () => Promise<string | null>, restarts?: ServiceName) => Promise<string | null>;
}>;

export type Watches = ReturnType<typeof composeWatches>;

/** Everything that the keeper watches, and the problems found. */
export function composeWatches(layout: Layout, { settings, clock, inTurn }: WatchedServer) {
  let current = settings;
  /** The settings in force; null while they cannot be read. */
  const inForce = (): Settings | null => current;
  const probes = (): readonly Probe[] => (current === null ? [] : probesOf(layout, current));
  const say = (what: string): void => console.error(`keeper: ${what}`);
  /** For a hanging service. Null, or why it could not be restarted. */
  const restart = (service: ServiceName) => inTurn(() => restartHanging(service, layout), service);
  const databases = createDatabaseQuestions(layout);
  const services = createServiceWatch(layout, () => (current === null ? [] : portsOf(current)), clock);
  const parts = createPartsWatch({
    services: layout.services,
    probes: probes(),
    clock,
    restart,
    starvation: () => measureStarvation(layout.services),
    say,
  });
  const readers = createReaderWatch(layout);
  const stopped = createStoppedWatch(layout.services, (pid) => signal(pid, "SIGCONT"), say);
  const locks = createLockWatch(layout, clock);
  const watches = {
    certificate: createCertificateFollower({ layout, reload: () => reloadCertificate(layout), clock }),
    accounts: createAccountsFollower({
      secretFile: layout.loginPolicySecret,
      present: () => databases.followed(),
      ask: async (command) => {
        const asked = await ask(layout.controlSocket, { by: "the accounts file" }, command, ACCOUNTS_TIMEOUT_MS);
        return asked.ok ? asked.result : null;
      },
    }),
    audit: createAuditWatch(layout, databases, clock),
    isolation: createIsolationWatch(isolationOf(layout, inForce)),
    components: createComponentWatch({
      replaced: (component) => replacedSinceStart(component, layout.services),
      check: (component) => inTurn(() => checkInForce(component, layout)),
      restart: (component) => inTurn(() => restartService(component, layout), component),
      answers: (component) => awaitAnswers(probes().filter(({ service }) => service === component)),
      say,
    }),
    backups: createBackupJob(layout, clock, inForce, runBehind),
    checks: createCheckJob(layout, clock, inForce, runBehind),
    retention: createRetentionJob(layout, clock, inForce, new Mailboxes(layout.dovecotConf)),
    access: createAccessReviewWatch(databases, clock, inForce),
    mailKey: createMailKeyWatch(layout, inForce, restart),
    reports: createReportJob(layout, clock, inForce, runBehind),
    transparency: createCertificateWatch(layout, clock, inForce),
    spamRules: createRulesJob(layout, clock, inForce),
    firewall: createFirewallWatch(strictFirewall(layout), inForce),
    detectors: createDetectorWatch(layout, clock, () => (IS_IMAGE ? null : allCommands()), inForce),
    relay: createRelayWatch(clock, (take) => readQueue(layout.postfixConf, take), settings),
    disk: createDiskSpaceWatch(layout, clock, inForce),
    mailboxes: createMailboxWatch(mailboxServer(layout), clock, inForce),
  };
  /** All watches that report problems. */
  const all: readonly Readonly<{ troubles(): readonly KeeperTrouble[] }>[] = [
    parts,
    services,
    readers,
    stopped,
    locks,
    ...Object.values(watches),
  ];

  /** As found by the last checks. `certificate`: the one in use. */
  function troubles(): Readonly<Record<"all" | "certificate", readonly KeeperTrouble[]>> {
    const unused = unusedOwnDovecot(layout);
    const own: KeeperTrouble[] = unused === null ? [] : [{ code: "dovecot_settings_unused", detail: unused }];
    if (current === null) own.push({ code: "settings_unread", detail: layout.settings });
    const found = all.flatMap((one) => one.troubles());
    return { all: [...own, ...found], certificate: watches.certificate.troubles() };
  }

  return {
    ...watches,
    services,
    troubles,
    /** Call it when new settings are in force. */
    use(now: Settings): void {
      current = now;
      parts.use(probes());
      watches.relay.use(now);
    },
    lookAtParts(): void {
      parts.look();
      stopped.look();
    },
    /** The program that keeps a database locked, in one sentence; null if there is none. A lock is found after several checks. */
    lockedBy(): string | null {
      locks.look();
      return locks.troubles()[0]?.detail ?? null;
    },
    /** The result of the last checks. Those for the next report start now: nothing waits for a hanging service. */
    report(): Required<Pick<Extract<KeeperReply, { ok: true }>, "services" | "troubles">> {
      readers.look();
      locks.look();
      return {
        services: services.states().map((state) => ({ ...state, ...parts.silenceOf(state.name) })),
        troubles: troubles().all,
      };
    },
  };
}
