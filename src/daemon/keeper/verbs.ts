import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock as clock } from "../../adapters/machine/clock.ts";
import { ask } from "../../adapters/sockets/control-client.ts";
import { readFollowed } from "../../adapters/sqlite/accounts-db/followed.ts";
import { type BanMail, renderBanMail } from "../../render/ban-mail.ts";
import type { ServiceName } from "../../render/runit.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, type Loaded, loadSettings, missingDomain } from "../../settings/load.ts";
import type { KeeperCommand, KeeperReply } from "../../wire/control/keeper.ts";
import { applyConfiguration } from "../set-up/apply.ts";
import { type CertificateFiles, readPair } from "../set-up/issue-certificate.ts";
import { certificateFiles, readSite } from "../set-up/site.ts";
import { type AlertMail, AlertMails, queueMail } from "./alert-mails.ts";
import { endSessions, kick } from "./end-sessions.ts";
import { AccountsFollower } from "./follow-accounts.ts";
import { CertificateFollower, reloadCertificate } from "./follow-certificate.ts";
import { type LogRules, logRules, USUAL_LOG_RULES } from "./keep-logs.ts";
import { queueVerb } from "./mail-queue.ts";
import { mailboxUse } from "./mailbox-use.ts";
import { reloadService } from "./parts.ts";
import { probesOf } from "./probes.ts";
import { restartHanging, restartService } from "./restart-service.ts";
import { certificateNews } from "./served-certificate.ts";
import { PartsWatch } from "./watch-parts.ts";
import { ReaderWatch } from "./watch-readers.ts";
import { ServiceWatch } from "./watch-services.ts";

/** Ending the sessions of fifty accounts takes this long. */
const ACCOUNTS_TIMEOUT_MS = 60_000;

/** Does what the guard may ask of root. Every argument has passed its parser; no shell is used. */
export class KeeperVerbs {
  readonly services: ServiceWatch;
  readonly #readers: ReaderWatch;
  readonly #layout: Layout;
  readonly #env: Environment;
  readonly #certificate: CertificateFollower;
  readonly #parts: PartsWatch;
  /** Those of the settings in force; null while the settings cannot be read. */
  #certificateFiles: CertificateFiles | null;
  readonly #accounts: AccountsFollower;
  #accountsFile: string;
  #logRules: LogRules;
  readonly #alertMails: AlertMails;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(layout: Layout, env: Environment) {
    this.#layout = layout;
    this.#alertMails = new AlertMails(layout, clock);
    this.services = new ServiceWatch(layout);
    this.#readers = new ReaderWatch(layout);
    this.#env = env;
    const read = this.#settings();
    this.#certificateFiles = read.ok ? certificateFiles(read.settings, layout) : null;
    this.#accountsFile = read.ok ? read.settings["accounts.follow"] : "";
    this.#logRules = read.ok ? logRules(read.settings) : USUAL_LOG_RULES;
    this.#accounts = new AccountsFollower({
      secretFile: layout.loginPolicySecret,
      present: () => readFollowed(layout.accountsDb),
      ask: async (command) => {
        const asked = await ask(layout.controlSocket, "the accounts file", command, ACCOUNTS_TIMEOUT_MS);
        return asked.ok ? asked.result : null;
      },
    });
    this.#parts = new PartsWatch({
      services: layout.services,
      probes: read.ok ? probesOf(layout, read.settings) : [],
      clock,
      restart: (service) => this.#inTurn(() => restartHanging(service, layout)),
      say: (what) => console.error(`keeper: ${what}`),
    });
    this.#certificate = new CertificateFollower({ layout, reload: () => reloadCertificate(layout), clock });
  }

  /** One after another, from all connections; but questions about the state are answered at once. */
  obey(command: KeeperCommand): Promise<KeeperReply> {
    if (command.verb === "ping" || command.verb === "status") return this.#do(command);
    return this.#inTurn(() => this.#do(command));
  }

  /** Uses the certificate of the settings, if it is new and valid. */
  async lookAtCertificate(): Promise<void> {
    const files = this.#certificateFiles;
    if (files !== null) await this.#inTurn(() => this.#certificate.look(files));
  }

  /** How logs are kept, by the settings in force. */
  get logRules(): LogRules {
    return this.#logRules;
  }

  /** Asks the parts of the server whether they work. */
  lookAtParts(): void {
    this.#parts.look();
  }

  /** Not queued behind the guard's requests: the guard asks to end sessions while it takes over accounts. */
  lookAtAccounts(): Promise<void> {
    return this.#accounts.look(this.#accountsFile);
  }

  /** An alert of our own, to the owner. */
  mailAlarm(alert: AlertMail): Promise<KeeperReply> {
    const read = this.#settings();
    return this.#alertMails.alarm(alert, read.ok ? read.settings : null);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #do(command: KeeperCommand): Promise<KeeperReply> {
    switch (command.verb) {
      case "ping":
        return Promise.resolve({ ok: true, detail: `pid ${process.pid}` });
      case "kick_account":
        return this.#endSessionsOf(command.account);
      case "kick_network":
        return kick(this.#layout, command.prefix);
      case "apply":
        return this.#apply();
      case "restart":
        return this.#restart(command.service);
      case "mail_ban":
        return this.#mailBan(command);
      case "mail_alert":
        return this.#mailAlert(command);
      case "find_mail":
      case "list_mail":
      case "hold_mail":
      case "release_mail":
      case "delete_mail":
      case "flush_mail":
        return queueVerb(this.#layout, command);
      case "mailbox_use":
        return mailboxUse(this.#layout, command.account);
      case "status":
        // The answer is for the next request: nothing waits for a hanging service.
        this.#readers.look();
        return Promise.resolve({
          ok: true,
          detail: "",
          services: this.services.states().map((state) => ({ ...state, ...this.#parts.silenceOf(state.name) })),
          troubles: [this.#certificate, this.#parts, this.#accounts, this.#readers].flatMap((one) => one.troubles()),
        });
    }
  }

  async #endSessionsOf(account: string): Promise<KeeperReply> {
    const read = this.#settings();
    if (!read.ok) return read;
    const ports = [read.settings["ports.submission"], read.settings["ports.submissions"]];
    return endSessions(this.#layout, account, ports);
  }

  async #apply(): Promise<KeeperReply> {
    const read = this.#settings();
    if (!read.ok) return read;
    const files = certificateFiles(read.settings, this.#layout);
    const refused = this.#refuses(files);
    if (refused !== null) return { ok: false, reason: refused };
    const applied = await applyConfiguration(readSite(read, this.#layout));
    if (!applied.ok) return applied;
    // The web comes after the guard: `config apply` restarts it.
    const changed = applied.changed.filter((service) => service !== "web");
    const failed = await this.#reload(changed);
    if (failed !== null) return { ok: false, reason: failed };
    this.#certificateFiles = files;
    this.#accountsFile = read.settings["accounts.follow"];
    this.#logRules = logRules(read.settings);
    this.#parts.use(probesOf(this.#layout, read.settings));
    this.#accounts.forget();
    const ports = [read.settings["ports.submissions"], read.settings["ports.imaps"]];
    const certificate = await certificateNews(await this.#certificate.look(files), ports);
    const reloaded = changed.length === 0 ? [] : [`Reloaded ${changed.join(" and ")}.`];
    return { ok: true, detail: [...reloaded, ...certificate].join(" ") };
  }

  /** New files must be valid at once; those in force may have expired. */
  #refuses(files: CertificateFiles): string | null {
    const same = files.cert === this.#certificateFiles?.cert && files.key === this.#certificateFiles.key;
    const pair = readPair(files, clock.now());
    return same || pair.ok ? null : pair.reason;
  }

  async #reload(services: readonly ServiceName[]): Promise<string | null> {
    // Services that the settings switched off at the start do not exist.
    for (const service of services.filter((name) => existsSync(join(this.#layout.services, name)))) {
      const reason = await reloadService(service, this.#layout);
      if (reason !== null) return `${service} could not be reloaded: ${reason}`;
    }
    return null;
  }

  #settings(): Extract<Loaded, { ok: true }> | Readonly<{ ok: false; reason: string }> {
    const file = this.#layout.settings;
    const loaded = loadSettings(existsSync(file) ? readFileSync(file, "utf8") : null, this.#env);
    if (!loaded.ok) return { ok: false, reason: loaded.problems.map(({ says }) => says).join(" ") };
    const missing = missingDomain(loaded.settings);
    return missing === null ? loaded : { ok: false, reason: missing };
  }

  async #restart(service: ServiceName): Promise<KeeperReply> {
    const reason = await restartService(service, this.#layout);
    return reason === null
      ? { ok: true, detail: `${service} was restarted.` }
      : { ok: false, reason: `${service} could not be restarted: ${reason}` };
  }

  async #mailBan(command: BanMail): Promise<KeeperReply> {
    const read = this.#settings();
    if (!read.ok) return read;
    const { hostname, "fail2ban.destemail": to, "fail2ban.sender": sender } = read.settings;
    if (to === "") return { ok: true, detail: "Nobody wants to know." };
    const from = sender === "" ? `fail2ban@${hostname}` : sender;
    return queueMail(this.#layout, { from, to: [to], input: renderBanMail(command, { from, to, hostname }) });
  }

  async #mailAlert(command: AlertMail): Promise<KeeperReply> {
    const read = this.#settings();
    return read.ok ? this.#alertMails.send(command, read.settings) : read;
  }
}
