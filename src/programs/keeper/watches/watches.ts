import type { KeeperReply, KeeperTrouble } from "../../../admin/declare/keeper.ts";
import type { Clock } from "../../../guard/ports.ts";
import { endShutOut, isShutOut, readIsolation, shutOut } from "../../../host/firewall/isolation.ts";
import { openConnections, sshDoors } from "../../../host/firewall/opening.ts";
import { keepStrict, listStrict, loadStrict, readStrict } from "../../../host/firewall/strict.ts";
import { freeBytesAt } from "../../../host/root-files/walk.ts";
import { portsOf } from "../../../host/running/ports.ts";
import { signal } from "../../../host/running/processes.ts";
import { freeMemoryHere, freeSwapHere, memoryHere } from "../../../host/running/read-processes.ts";
import type { ServiceName } from "../../../host/running/runit.ts";
import { restartService } from "../../../host/running/supervise.ts";
import { ask } from "../../../host/sockets/control-client.ts";
import { AccountsFollower } from "../../../jobs/accounts-file/follow-accounts.ts";
import { AskDatabases } from "../../../jobs/audit/ask-databases.ts";
import { AccessReviewWatch, AuditWatch } from "../../../jobs/audit/audit-watch.ts";
import { BackupJob } from "../../../jobs/backup/backup-job.ts";
import { CheckJob } from "../../../jobs/check/check-job.ts";
import { runBehind } from "../../../jobs/job.ts";
import { ReportJob } from "../../../jobs/report/report-job.ts";
import { RetentionJob } from "../../../jobs/retention/retention-job.ts";
import { fetchRules, RulesJob } from "../../../jobs/spam-rules/spam-rules.ts";
import { CertificateFollower, reloadCertificate } from "../../../mail/certificates/follow-certificate.ts";
import { checkInForce } from "../../../mail/configuration/parts.ts";
import { countMailProcesses, endSessions, quotaOf, sessionMemory, shareImap } from "../../../mail/dovecot/doveadm.ts";
import { Mailboxes } from "../../../mail/dovecot/mailboxes.ts";
import {
  limitFolders,
  removeIndexes,
  removeUnfinished,
  uncountedOf,
  withoutNewFolders,
} from "../../../mail/dovecot/maildirs.ts";
import { unusedOwnDovecot } from "../../../mail/dovecot/own-dovecot.ts";
import { readQueue } from "../../../mail/postfix/mail-queue.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Settings } from "../../../settings/schema.ts";
import { MailKeyWatch } from "./mail-key-watch.ts";
import { awaitAnswers, probesOf } from "./probes.ts";
import { CertificateWatch } from "./watch-certificates.ts";
import { ComponentWatch, replacedSinceStart } from "./watch-components.ts";
import { DiskSpaceWatch } from "./watch-disk-space.ts";
import { FirewallWatch, IsolationWatch } from "./watch-firewall.ts";
import { LockWatch, ReaderWatch } from "./watch-locks.ts";
import { MailboxWatch } from "./watch-mailboxes.ts";
import { measureStarvation, PartsWatch, StoppedWatch } from "./watch-parts.ts";
import { RelayWatch } from "./watch-relay.ts";
import { ServiceWatch } from "./watch-services.ts";

/** Ending the sessions of fifty accounts takes this long. */
const ACCOUNTS_TIMEOUT_MS = 60_000;

type Report = Required<Pick<Extract<KeeperReply, { ok: true }>, "services" | "troubles">>;

type WatchedServer = Readonly<{
  /** Null while they cannot be read. */
  settings: Settings | null;
  clock: Clock;
  /** For a hanging service. Null, or why it could not be restarted. */
  restart: (service: ServiceName) => Promise<string | null>;
  /** Changes of configurations and restarts of services run one after the other. */
  inTurn: (work: () => Promise<string | null>) => Promise<string | null>;
}>;

/** Everything that the keeper watches, and the problems found. */
export class Watches {
  readonly services: ServiceWatch;
  readonly certificate: CertificateFollower;
  readonly accounts: AccountsFollower;
  readonly backups: BackupJob;
  readonly checks: CheckJob;
  readonly audit: AuditWatch;
  readonly retention: RetentionJob;
  readonly access: AccessReviewWatch;
  readonly mailKey: MailKeyWatch;
  readonly reports: ReportJob;
  readonly transparency: CertificateWatch;
  readonly isolation: IsolationWatch;
  readonly firewall: FirewallWatch;
  readonly components: ComponentWatch;
  readonly spamRules: RulesJob;
  readonly relay: RelayWatch;
  readonly disk: DiskSpaceWatch;
  readonly mailboxes: MailboxWatch;
  /** All watches that report problems. */
  readonly #all: readonly Readonly<{ troubles(): readonly KeeperTrouble[] }>[];
  /** The settings in force; null while they cannot be read. */
  #settings: Settings | null;
  readonly #layout: Layout;
  readonly #parts: PartsWatch;
  readonly #stopped: StoppedWatch;
  readonly #readers: ReaderWatch;
  readonly #locks: LockWatch;

  constructor(layout: Layout, { settings, clock, restart, inTurn }: WatchedServer) {
    const { services } = layout;
    const say = (what: string): void => console.error(`keeper: ${what}`);
    const databases = new AskDatabases(layout);
    this.#layout = layout;
    this.#settings = settings;
    const inForce = (): Settings | null => this.#settings;
    this.services = new ServiceWatch(layout, settings === null ? [] : portsOf(settings));
    this.certificate = new CertificateFollower({ layout, reload: () => reloadCertificate(layout), clock });
    this.accounts = new AccountsFollower({
      secretFile: layout.loginPolicySecret,
      present: () => databases.followed(),
      ask: async (command) => {
        const asked = await ask(layout.controlSocket, { by: "the accounts file" }, command, ACCOUNTS_TIMEOUT_MS);
        return asked.ok ? asked.result : null;
      },
    });
    this.backups = new BackupJob(layout, clock, inForce, runBehind);
    this.checks = new CheckJob(layout, clock, inForce, runBehind);
    this.audit = new AuditWatch(layout, databases, clock);
    this.retention = new RetentionJob(layout, clock, inForce, new Mailboxes(layout.dovecotConf));
    this.access = new AccessReviewWatch(databases, clock, inForce);
    this.mailKey = new MailKeyWatch(layout, inForce, restart);
    this.reports = new ReportJob(layout, clock, inForce, runBehind);
    this.transparency = new CertificateWatch(layout, clock, inForce);
    this.isolation = new IsolationWatch({
      recorded: () => readIsolation(layout),
      isShut: isShutOut,
      shut: async (isolation) =>
        this.#settings === null
          ? { ok: false, reason: "the settings cannot be read" }
          : shutOut(isolation, this.#settings),
      open: endShutOut,
    });
    this.firewall = new FirewallWatch(
      {
        read: () => readStrict(layout),
        keep: (state) => keepStrict(layout, state),
        list: listStrict,
        load: loadStrict,
        ssh: sshDoors,
        connections: openConnections,
      },
      inForce,
    );
    this.spamRules = new RulesJob(layout, clock, inForce, fetchRules);
    this.relay = new RelayWatch({ clock, readQueue: (take) => readQueue(layout.postfixConf, take) }, settings);
    this.disk = new DiskSpaceWatch(layout, clock, inForce);
    this.mailboxes = new MailboxWatch(
      {
        clock,
        freeBytes: () => freeBytesAt(layout.mail),
        uncounted: () => uncountedOf(layout),
        quota: (account) => quotaOf(layout, account),
        limited: () => withoutNewFolders(layout),
        limit: (account, isLimited) => limitFolders(layout, account, isLimited),
        endSessions: (account) => endSessions(layout, account),
        processes: countMailProcesses,
        endSurplus: (places) => shareImap(layout, places),
        removeIndexes: (account) => removeIndexes(layout, account),
        removeUnfinished: (account) => removeUnfinished(layout, account),
        memory: () => ({ allBytes: memoryHere(), freeBytes: freeMemoryHere(), swapBytes: freeSwapHere() }),
        sessionMemory: () => sessionMemory(layout),
      },
      inForce,
    );
    const probes = settings === null ? [] : probesOf(layout, settings);
    this.#parts = new PartsWatch({
      services,
      probes,
      clock,
      restart,
      starvation: () => measureStarvation(services),
      say,
    });
    this.components = new ComponentWatch({
      replaced: (component) => replacedSinceStart(component, services),
      check: (component) => inTurn(() => checkInForce(component, layout)),
      restart: (component) => inTurn(() => restartService(component, layout)),
      answers: (component) =>
        awaitAnswers(
          (this.#settings === null ? [] : probesOf(layout, this.#settings)).filter(
            ({ service }) => service === component,
          ),
        ),
      say,
    });
    this.#stopped = new StoppedWatch({ services, proceed: (pid) => signal(pid, "SIGCONT"), say });
    this.#readers = new ReaderWatch(layout);
    this.#locks = new LockWatch(layout, clock);
    const { backups, checks, retention, access, mailKey, reports, transparency, spamRules, firewall } = this;
    const { certificate, accounts, audit, isolation, components, relay, disk, mailboxes } = this;
    const parts = [this.#parts, this.#readers, this.#stopped, this.#locks, certificate, accounts, audit, isolation];
    const jobs = [backups, checks, retention, access, mailKey, reports, transparency, spamRules];
    this.#all = [...parts, components, ...jobs, firewall, relay, disk, mailboxes];
  }

  /** Call it when new settings are in force. */
  use(settings: Settings): void {
    this.#settings = settings;
    this.services.use(portsOf(settings));
    this.#parts.use(probesOf(this.#layout, settings));
    this.accounts.forget();
    this.relay.use(settings);
  }

  /** Probes the parts of the server. */
  lookAtParts(): void {
    this.#parts.look();
    this.#stopped.look();
  }

  /** The program that keeps a database locked, in one sentence; null if there is none. It takes several checks. */
  lockedBy(): string | null {
    this.#locks.look();
    return this.#locks.troubles()[0]?.detail ?? null;
  }

  /** The result of the last checks. Those for the next report start now: nothing waits for a hanging service. */
  report(): Report {
    this.#readers.look();
    this.#locks.look();
    return {
      services: this.services.states().map((state) => ({ ...state, ...this.#parts.silenceOf(state.name) })),
      troubles: this.troubles().all,
    };
  }

  /** As found by the last checks. `certificate`: the one in use. */
  troubles(): Readonly<Record<"all" | "certificate", readonly KeeperTrouble[]>> {
    const unused = unusedOwnDovecot(this.#layout);
    const own: KeeperTrouble[] = unused === null ? [] : [{ code: "dovecot_settings_unused", detail: unused }];
    if (this.#settings === null) own.push({ code: "settings_unread", detail: this.#layout.settings });
    return { all: [...own, ...this.#all.flatMap((one) => one.troubles())], certificate: this.certificate.troubles() };
  }
}
