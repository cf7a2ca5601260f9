import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KeeperCommand, KeeperReply } from "../../admin/declare/keeper.ts";
import { TOLD } from "../../admin/declare/reports.ts";
import type { AlertLanguage } from "../../core/alerts/frames.ts";
import { failureOf, messageOf } from "../../core/error.ts";
import { oneAfterAnother } from "../../core/one-after-another.ts";
import { digestOf } from "../../guard/access/secrets.ts";
import type { Clock } from "../../guard/ports.ts";
import { systemClock } from "../../host/machine/clock.ts";
import { settingsIn, settingsInForce, whyEmptied } from "../../host/machine/settings-text.ts";
import { removeFile, writeFile } from "../../host/root-files/files.ts";
import { SERVICES, type ServiceName } from "../../host/running/runit.ts";
import { restartService, unreadMark } from "../../host/running/supervise.ts";
import { serviceExists } from "../../host/running/supervised.ts";
import { recordInForce } from "../../jobs/settings-file/settings-file.ts";
import { certificateNews } from "../../mail/certificates/follow-certificate.ts";
import { type CertificateFiles, certificateFiles, readPair } from "../../mail/certificates/issue-certificate.ts";
import { applyConfiguration } from "../../mail/configuration/apply.ts";
import { reloadService } from "../../mail/configuration/parts.ts";
import { readSite, refuseMissing, type Site, textInForce } from "../../mail/configuration/site.ts";
import { endImap, endSessions, imapClients, kick, mailboxUse } from "../../mail/dovecot/doveadm.ts";
import { withoutLostKey } from "../../mail/dovecot/mail-keys.ts";
import { type LogSettings, USUAL_LOG_SETTINGS } from "../../mail/logs/keep-logs.ts";
import { type AlertMail, createAlertMails, type MailAlarm, queueMail } from "../../mail/notifiers/alert-mails.ts";
import { postmaster } from "../../mail/notifiers/channels.ts";
import { type BanMail, renderBanMail } from "../../mail/notifiers/mail-text.ts";
import { queueVerb } from "../../mail/postfix/mail-queue.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, missingDomain } from "../../settings/load.ts";
import type { SettingKey, Settings } from "../../settings/schema.ts";
import { makeCertificate } from "../set-up/certificate.ts";
import { createChangeSettings } from "./change-settings.ts";
import { createLateEnds } from "./late-ends.ts";
import { tell, tellRedirects } from "./tell.ts";
import { composeWatches, type Watches } from "./watches/watches.ts";

/** Verbs that only read, so they neither wait for others nor keep them waiting. */
const AT_ONCE: ReadonlySet<KeeperCommand["verb"]> = new Set([...TOLD, "ping", "status", "audit", "redirects"]);
/** Verbs that change no configuration, so a thief's sessions end even while Postfix checks a long queue. */
const SESSIONS: ReadonlySet<KeeperCommand["verb"]> = new Set(["kick_account", "imap_clients", "end_imap"]);

/** Runs the guard's requests as root. Every argument has passed its parser; no shell is used. */
export class KeeperVerbs {
  readonly watches: Watches;
  readonly #layout: Layout;
  readonly #env: Environment;
  readonly #clock: Clock;
  /** The settings in force; null while they cannot be read. */
  #inForce: Settings | null;
  readonly #alertMails: ReturnType<typeof createAlertMails>;
  readonly #changes: ReturnType<typeof createChangeSettings>;
  readonly #changesInTurn = oneAfterAnother();
  /** Services that may not have read their files in force: a reload failed, or the keeper ended before it. */
  readonly #unread: Set<ServiceName>;
  /** Whether the web was marked at the last check. By now, whoever applied the settings would have restarted it. */
  #wasWebUnread: boolean;
  /** Ends sessions that opened after the sessions of their account had been ended. */
  readonly lateEnds: ReturnType<typeof createLateEnds>;
  /** For mails to the owner, which may take long on a full disk: nothing else waits for them. */
  readonly #mailInTurn = oneAfterAnother();
  /** For queries of mailbox use, which a user with very many folders makes slow. */
  readonly #useInTurn = oneAfterAnother();
  readonly #sessionsInTurn = oneAfterAnother();
  /** `restarts`: the service that is restarted. While Dovecot restarts, doveadm fails, so sessions are ended before or after. */
  readonly #inTurn = <T>(work: () => Promise<T>, restarts?: ServiceName): Promise<T> =>
    this.#changesInTurn(() => (restarts === "dovecot" ? this.#sessionsInTurn(work) : work()));

  constructor(layout: Layout, env: Environment, clock: Clock = systemClock) {
    this.#layout = layout;
    this.#clock = clock;
    this.#env = env;
    this.#alertMails = createAlertMails(layout, clock);
    this.#changes = createChangeSettings({
      path: layout.settings,
      env,
      clock,
      apply: (digest) => this.#apply(this.#settings(digest)),
      inForce: () => this.#inForce,
    });
    this.#unread = new Set(SERVICES.filter((service) => existsSync(unreadMark(layout.services, service))));
    this.#wasWebUnread = this.#unread.has("web");
    this.lateEnds = createLateEnds(join(dirname(layout.keeperSocket), "late-ends.json"), clock, (accounts) =>
      this.#sessionsInTurn(() => endSessions(layout, accounts)),
    );
    const read = this.#readInForce();
    this.#inForce = read.ok ? read.settings : null;
    this.watches = composeWatches(layout, { settings: this.#inForce, clock, inTurn: this.#inTurn });
  }

  /** Carries out commands one after another, from all connections. Questions about the state are answered at once. */
  obey(command: KeeperCommand): Promise<KeeperReply> {
    const { verb } = command;
    if (AT_ONCE.has(verb)) return this.#do(command);
    const work = (): Promise<KeeperReply> => this.#do(command);
    if (SESSIONS.has(verb)) return this.#sessionsInTurn(work);
    if (verb === "restart") return this.#inTurn(work, command.service);
    if (verb === "mail_alert" || verb === "mail_ban") return this.#mailInTurn(work);
    return verb === "mailbox_use" ? this.#useInTurn(work) : this.#inTurn(work);
  }

  /** Reads the settings again if they have been unreadable since the start. */
  lookAtSettings(): void {
    const read = this.#inForce === null ? this.#settings() : null;
    if (read?.ok === true) this.#use(read.settings);
  }

  /** Uses the certificate of the settings, if it is new and valid. */
  async lookAtCertificate(): Promise<void> {
    const files = this.#certificateFiles;
    if (files !== null) await this.#inTurn(() => this.watches.certificate.look(files));
  }

  /** Log retention, by the settings in force. */
  get logSettings(): LogSettings {
    return this.#inForce ?? USUAL_LOG_SETTINGS;
  }

  /**
   * Reloads these services if they exist, and others that are still marked, but not the web. Marks all of them first: if this keeper ends
   * before the reload, the next one reloads them. Returns null, or why one could not be reloaded.
   */
  reload(...services: readonly ServiceName[]): Promise<string | null> {
    for (const service of services) this.#mustRead(service);
    return this.#inTurn(() => this.#reload([]));
  }

  /** Reloads those of these services that are still marked. Returns null, or why one could not be reloaded. */
  retry(services: readonly ServiceName[]): Promise<string | null> {
    return this.#inTurn(() => this.#reload([], services));
  }

  /** Reloads what is still marked, the web only if it was at the last check or at the start. Throws if that fails. */
  async reloadUnread(): Promise<void> {
    const due = [...this.#unread].filter((service) => service !== "web" || this.#wasWebUnread);
    this.#wasWebUnread = this.#unread.has("web");
    const failed = due.length === 0 ? null : await this.retry(due);
    if (failed !== null) throw new Error(failed);
  }

  /** Not queued behind the guard's requests: the guard asks to end sessions while it applies account files. */
  lookAtAccounts(): Promise<void> {
    return this.watches.accounts.look(this.#inForce?.["accounts.follow"] ?? "");
  }

  mailAlarm(alarm: Parameters<MailAlarm>[0]): Promise<KeeperReply> {
    return this.#alertMails.alarm({ verb: "mail_alert", id: randomUUID(), ...alarm }, this.#inForce);
  }

  /** In English while the settings cannot be read. */
  get alertLanguage(): AlertLanguage {
    return this.#inForce?.["alerts.language"] ?? "en";
  }

  get #certificateFiles(): CertificateFiles | null {
    return this.#inForce && certificateFiles(this.#inForce, this.#layout);
  }

  #do(command: KeeperCommand): Promise<KeeperReply> {
    switch (command.verb) {
      case "ping":
        return Promise.resolve({ ok: true, detail: `pid ${process.pid}` });
      case "kick_account":
        this.lateEnds.add(command.account);
        return kick(this.#layout, command.account);
      case "imap_clients":
        return imapClients(this.#layout);
      case "end_imap":
        return endImap(this.#layout, command.clients);
      case "apply": {
        if (command.inForce === true) return this.#apply(this.#readInForce());
        const reason = whyEmptied(this.#layout);
        return reason === null ? this.#changes.apply(command.digest) : Promise.resolve({ ok: false, reason });
      }
      case "change_settings":
        return this.#changes.change(command.changes, command.digest);
      case "undo_settings":
        return this.#changes.undo(command.digest);
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
      case "return_mail":
      case "flush_mail":
        return queueVerb(this.#layout, command);
      case "firewall_try":
        return this.watches.firewall.begin(command.session);
      case "firewall_confirm":
        return this.watches.firewall.confirm();
      case "firewall_rollback":
        return this.watches.firewall.takeBack();
      case "mailbox_use":
        return mailboxUse(this.#layout, command.account);
      case "status":
        return Promise.resolve({ ok: true, detail: "", ...this.watches.report() });
      case "audit":
        return Promise.resolve({ ok: true, detail: "", audit: this.watches.audit.report() });
      case "redirects":
        return tellRedirects(this.#layout, command.accounts);
      default:
        return tell(command.verb, {
          layout: this.#layout,
          read: this.#known(),
          troubles: this.watches.troubles(),
          now: this.#clock.now(),
        });
    }
  }

  async #apply(read: ReturnType<typeof settingsIn>): Promise<KeeperReply> {
    if (!read.ok) return read;
    const files = certificateFiles(read.settings, this.#layout);
    const refused = await this.#refuses(files, read.settings);
    if (refused !== null) return { ok: false, reason: refused };
    let hasMoved = false;
    const moving = (service: ServiceName): void => {
      hasMoved = true;
      this.#mustRead(service);
    };
    const kept: string[] = [];
    const apply = async () => applyConfiguration(this.#site(read, kept), { isServing: true, moving });
    const applied = await apply().catch((error: unknown) => {
      if (hasMoved) throw error;
      return { ok: false, reason: messageOf(error) } as const;
    });
    if (!applied.ok) return hasMoved ? { ...applied, mayBeDone: true } : applied;
    const changed = applied.changed.filter((service) => service !== "web");
    const failed = await this.#reload(changed);
    if (failed !== null) return { ok: false, reason: failed, mayBeDone: true };
    recordInForce(this.#layout, read.text);
    this.#use(read.settings);
    await this.watches.firewall.look();
    await makeCertificate(read.settings, this.#layout, "running").catch((error: unknown) =>
      kept.push(`${messageOf(error)}.`),
    );
    const ports = [read.settings["ports.submissions"], read.settings["ports.imaps"]];
    const certificate = await certificateNews(await this.watches.certificate.look(files), ports);
    const reloaded = changed.length === 0 ? [] : [`Reloaded ${changed.join(" and ")}.`];
    // Comes last: the guard accepts other accounts only once it has loaded the settings, after this reply.
    this.watches.accounts.forget();
    const unused = applied.unused === null ? [] : [`Dovecot runs without your settings: ${applied.unused}.`];
    return { ok: true, detail: [...reloaded, ...certificate, ...kept, ...unused].join(" ") };
  }

  /**
   * If a named file or a key went missing since it was set, the one in force stays, so that other changes need not wait for it. `kept` gets
   * a sentence for each.
   */
  #site(read: Parameters<typeof readSite>[0], kept: string[]): Site {
    const { settings } = read;
    const isChanged = (key: SettingKey): boolean => settings[key] !== this.#inForce?.[key];
    const inForce = textInForce(settings, this.#layout, (line) => kept.push(line));
    const found = readSite(read, this.#layout, (key, reason) =>
      (isChanged(key) || existsSync(settings[key]) ? refuseMissing : inForce)(key, reason),
    );
    const site = { ...found, spam: { ...found.spam, runs: this.#exists("spamass-milter") } };
    const isNew = isChanged("mailboxes.encryption") || isChanged("mailboxes.encryption_key");
    return isNew ? site : withoutLostKey(site);
  }

  #use(settings: Settings): void {
    this.#inForce = settings;
    this.watches.use(settings);
  }

  /** New files must be valid at once; those in force may have expired. */
  async #refuses(files: CertificateFiles, settings: Settings): Promise<string | null> {
    const served = this.#certificateFiles;
    if (files.cert === served?.cert && files.key === served.key) return null;
    // If the settings no longer name one, ours is used again: it may be missing or expired.
    const failure = await makeCertificate(settings, this.#layout, "start").then(() => null, messageOf);
    const pair = readPair(files, this.#clock.now());
    return pair.ok ? null : (failure ?? pair.reason);
  }

  /** Reloads the web only if `of` has it, because it follows the guard: whoever applied the settings restarts it, or `reloadUnread`. */
  async #reload(services: readonly ServiceName[], of?: readonly ServiceName[]): Promise<string | null> {
    for (const service of services) this.#mustRead(service);
    const failures: string[] = [];
    const due = [...this.#unread].filter((service) => of?.includes(service) ?? service !== "web");
    for (const service of due) {
      // Comes before the reload, because the files may change again during it.
      this.#unread.delete(service);
      if (!this.#exists(service)) continue;
      const reason = await reloadService(service, this.#layout).catch(messageOf);
      if (reason !== null) {
        this.#unread.add(service);
        failures.push(`${service} could not be reloaded: ${reason}`);
      } else if (!this.#unread.has(service)) removeFile(unreadMark(this.#layout.services, service));
    }
    return failures.length === 0 ? null : failures.join("; ");
  }

  #mustRead(service: ServiceName): void {
    if (service === "web" && !this.#unread.has("web")) this.#wasWebUnread = false;
    this.#unread.add(service);
    if (!this.#exists(service)) return;
    const mark = unreadMark(this.#layout.services, service);
    const why = failureOf(() => writeFile(mark, "", { mode: 0o600, flush: false }));
    // A full disk must not keep a service from being reloaded.
    if (why !== null) console.error(`keeper: could not record that ${service} must be reloaded: ${why}`);
  }

  #exists(service: ServiceName): boolean {
    return serviceExists(this.#layout.services, service);
  }

  #readInForce(): ReturnType<typeof settingsIn> {
    return settingsInForce(this.#layout, this.#env) ?? this.#settings();
  }

  /** `digest`: of the file that the caller read. */
  #settings(digest?: string): ReturnType<typeof settingsIn> {
    const loaded = settingsIn(this.#layout.settings, this.#env);
    if (!loaded.ok) return loaded;
    if (digest !== undefined && digest !== digestOf(loaded.text))
      return { ok: false, reason: "The settings file was edited in the meantime." };
    const missing = missingDomain(loaded.settings);
    return missing === null ? loaded : { ok: false, reason: missing };
  }

  async #restart(service: ServiceName): Promise<KeeperReply> {
    const isUnread = this.#unread.delete(service);
    const failure = await restartService(service, this.#layout);
    if (failure === null) {
      if (!this.#unread.has(service)) removeFile(unreadMark(this.#layout.services, service));
      if (service === "dovecot") removeFile(this.#layout.mailKeyUnread);
      return { ok: true, detail: `${service} was restarted.` };
    }
    if (isUnread) this.#unread.add(service);
    const reason = `${service} could not be restarted: ${failure}`;
    // Logged, because no one waits for the reply after a change in the dashboard.
    console.error(`keeper: ${reason}`);
    return { ok: false, reason };
  }

  /** The settings in force, without later edits. Before any are in force, those of the file. */
  #known(): Readonly<{ ok: true; settings: Settings }> | Readonly<{ ok: false; reason: string }> {
    return this.#inForce === null ? this.#settings() : { ok: true, settings: this.#inForce };
  }

  async #mailBan(command: BanMail): Promise<KeeperReply> {
    const read = this.#known();
    if (!read.ok) return read;
    const { hostname, "fail2ban.destemail": to, "fail2ban.sender": sender } = read.settings;
    if (to === "") return { ok: true, detail: "No alert address is set." };
    const from = sender === "" ? postmaster(read.settings) : sender;
    return queueMail(this.#layout, { from, to: [to], input: renderBanMail(command, { from, to, hostname }) });
  }

  #mailAlert(command: AlertMail): Promise<KeeperReply> {
    const read = this.#known();
    return this.#alertMails.send(command, read.ok ? read.settings : null);
  }
}
