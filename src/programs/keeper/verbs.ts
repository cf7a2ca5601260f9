import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KeeperCommand, KeeperReply } from "../../admin/declare/keeper.ts";
import { REPORT_VERBS } from "../../admin/declare/reports.ts";
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
import { reportFor, reportRedirects } from "./reports.ts";
import { composeWatches } from "./watches/watches.ts";

/** Verbs that only read, so they neither wait for others nor keep them waiting. */
const AT_ONCE: ReadonlySet<KeeperCommand["verb"]> = new Set([...REPORT_VERBS, "ping", "status", "audit", "redirects"]);
/** Verbs that change no configuration, so a thief's sessions end even while Postfix checks a long queue. */
const SESSIONS: ReadonlySet<KeeperCommand["verb"]> = new Set(["kick_account", "imap_clients", "end_imap"]);

/** Runs the guard's requests as root. Every argument has passed its parser; no shell is used. */
export function createKeeperVerbs(layout: Layout, env: Environment, clock: Clock = systemClock) {
  const changesInTurn = oneAfterAnother();
  const sessionsInTurn = oneAfterAnother();
  /** For mails to the owner, which may take long on a full disk: nothing else waits for them. */
  const mailInTurn = oneAfterAnother();
  /** For queries of mailbox use, which a user with very many folders makes slow. */
  const useInTurn = oneAfterAnother();
  /** `restarts`: the service that is restarted. While Dovecot restarts, doveadm fails, so sessions are ended before or after. */
  const inTurn = <T>(work: () => Promise<T>, restarts?: ServiceName): Promise<T> =>
    changesInTurn(() => (restarts === "dovecot" ? sessionsInTurn(work) : work()));
  const alertMails = createAlertMails(layout, clock);
  const changes = createChangeSettings({
    path: layout.settings,
    env,
    clock,
    apply: (digest) => apply(readSettings(digest)),
    inForce: () => inForce,
  });
  /** Services that may not have read their files in force: a reload failed, or the keeper ended before it. */
  const unread = new Set(SERVICES.filter((service) => existsSync(unreadMark(layout.services, service))));
  /** Whether the web was marked at the last check. By now, whoever applied the settings would have restarted it. */
  let wasWebUnread = unread.has("web");
  /** Ends sessions that opened after the sessions of their account had been ended. */
  const lateEnds = createLateEnds(join(dirname(layout.keeperSocket), "late-ends.json"), clock, (accounts) =>
    sessionsInTurn(() => endSessions(layout, accounts)),
  );
  const atStart = readInForce();
  /** The settings in force; null while they cannot be read. */
  let inForce: Settings | null = atStart.ok ? atStart.settings : null;
  const watches = composeWatches(layout, { settings: inForce, clock, inTurn });

  /** Carries out commands one after another, from all connections. Questions about the state are answered at once. */
  function obey(command: KeeperCommand): Promise<KeeperReply> {
    const { verb } = command;
    if (AT_ONCE.has(verb)) return carryOut(command);
    const work = (): Promise<KeeperReply> => carryOut(command);
    if (SESSIONS.has(verb)) return sessionsInTurn(work);
    if (verb === "restart") return inTurn(work, command.service);
    if (verb === "mail_alert" || verb === "mail_ban") return mailInTurn(work);
    return verb === "mailbox_use" ? useInTurn(work) : inTurn(work);
  }

  /** Reads the settings again if they have been unreadable since the start. */
  function lookAtSettings(): void {
    const read = inForce === null ? readSettings() : null;
    if (read?.ok === true) use(read.settings);
  }

  /** Uses the certificate of the settings, if it is new and valid. */
  async function lookAtCertificate(): Promise<void> {
    const files = filesInForce();
    if (files !== null) await inTurn(() => watches.certificate.look(files));
  }

  /**
   * Reloads these services if they exist, and others that are still marked, but not the web. Marks all of them first: if this keeper ends
   * before the reload, the next one reloads them. Returns null, or why one could not be reloaded.
   */
  function reload(...services: readonly ServiceName[]): Promise<string | null> {
    services.forEach(mark);
    return inTurn(() => reloadMarked());
  }

  /** Reloads those of these services that are still marked. Returns null, or why one could not be reloaded. */
  function retry(services: readonly ServiceName[]): Promise<string | null> {
    return inTurn(() => reloadMarked(services));
  }

  /** Reloads what is still marked, the web only if it was at the last check or at the start. Throws if that fails. */
  async function reloadUnread(): Promise<void> {
    const due = [...unread].filter((service) => service !== "web" || wasWebUnread);
    wasWebUnread = unread.has("web");
    const failed = due.length === 0 ? null : await retry(due);
    if (failed !== null) throw new Error(failed);
  }

  /** Not queued behind the guard's requests: the guard asks to end sessions while it applies account files. */
  function lookAtAccounts(): Promise<void> {
    return watches.accounts.look(inForce?.["accounts.follow"] ?? "");
  }

  function filesInForce(): CertificateFiles | null {
    return inForce && certificateFiles(inForce, layout);
  }

  function carryOut(command: KeeperCommand): Promise<KeeperReply> {
    switch (command.verb) {
      case "ping":
        return Promise.resolve({ ok: true, detail: `pid ${process.pid}` });
      case "kick_account":
        lateEnds.add(command.account);
        return kick(layout, command.account);
      case "imap_clients":
        return imapClients(layout);
      case "end_imap":
        return endImap(layout, command.clients);
      case "apply": {
        if (command.inForce === true) return apply(readInForce());
        const reason = whyEmptied(layout);
        return reason === null ? changes.apply(command.digest) : Promise.resolve({ ok: false, reason });
      }
      case "change_settings":
        return changes.change(command.changes, command.digest);
      case "undo_settings":
        return changes.undo(command.digest);
      case "restart":
        return restart(command.service);
      case "mail_ban":
        return mailBan(command);
      case "mail_alert":
        return mailAlert(command);
      case "find_mail":
      case "list_mail":
      case "hold_mail":
      case "release_mail":
      case "delete_mail":
      case "return_mail":
      case "flush_mail":
        return queueVerb(layout, command);
      case "firewall_try":
        return watches.firewall.begin(command.session);
      case "firewall_confirm":
        return watches.firewall.confirm();
      case "firewall_rollback":
        return watches.firewall.takeBack();
      case "mailbox_use":
        return mailboxUse(layout, command.account);
      case "status":
        return Promise.resolve({ ok: true, detail: "", ...watches.report() });
      case "audit":
        return Promise.resolve({ ok: true, detail: "", audit: watches.audit.report() });
      case "redirects":
        return reportRedirects(layout, command.accounts);
      default:
        return reportFor(command.verb, { layout, read: known(), troubles: watches.troubles(), now: clock.now() });
    }
  }

  async function apply(read: ReturnType<typeof settingsIn>): Promise<KeeperReply> {
    if (!read.ok) return read;
    const files = certificateFiles(read.settings, layout);
    const refused = await refuses(files, read.settings);
    if (refused !== null) return { ok: false, reason: refused };
    let hasMoved = false;
    const moving = (service: ServiceName): void => {
      hasMoved = true;
      mark(service);
    };
    const kept: string[] = [];
    const rendered = async () => applyConfiguration(siteOf(read, kept), { isServing: true, moving });
    const applied = await rendered().catch((error: unknown) => {
      if (hasMoved) throw error;
      return { ok: false, reason: messageOf(error) } as const;
    });
    if (!applied.ok) return hasMoved ? { ...applied, mayBeDone: true } : applied;
    const changed = applied.changed.filter((service) => service !== "web");
    changed.forEach(mark);
    const failed = await reloadMarked();
    if (failed !== null) return { ok: false, reason: failed, mayBeDone: true };
    recordInForce(layout, read.text);
    use(read.settings);
    await watches.firewall.look();
    await makeCertificate(read.settings, layout, "running").catch((error: unknown) =>
      kept.push(`${messageOf(error)}.`),
    );
    const ports = [read.settings["ports.submissions"], read.settings["ports.imaps"]];
    const certificate = await certificateNews(await watches.certificate.look(files), ports);
    const reloaded = changed.length === 0 ? [] : [`Reloaded ${changed.join(" and ")}.`];
    // Comes last: the guard accepts other accounts only once it has loaded the settings, after this reply.
    watches.accounts.forget();
    const unused = applied.unused === null ? [] : [`Dovecot runs without your settings: ${applied.unused}.`];
    return { ok: true, detail: [...reloaded, ...certificate, ...kept, ...unused].join(" ") };
  }

  /**
   * If a named file or a key went missing since it was set, the one in force stays, so that other changes need not wait for it. `kept` gets
   * a sentence for each.
   */
  function siteOf(read: Parameters<typeof readSite>[0], kept: string[]): Site {
    const { settings } = read;
    const isChanged = (key: SettingKey): boolean => settings[key] !== inForce?.[key];
    const keepInForce = textInForce(settings, layout, (line) => kept.push(line));
    const found = readSite(read, layout, (key, reason) =>
      (isChanged(key) || existsSync(settings[key]) ? refuseMissing : keepInForce)(key, reason),
    );
    const site = { ...found, spam: { ...found.spam, runs: exists("spamass-milter") } };
    const isNew = isChanged("mailboxes.encryption") || isChanged("mailboxes.encryption_key");
    return isNew ? site : withoutLostKey(site);
  }

  function use(settings: Settings): void {
    inForce = settings;
    watches.use(settings);
  }

  /** New files must be valid at once; those in force may have expired. */
  async function refuses(files: CertificateFiles, settings: Settings): Promise<string | null> {
    const served = filesInForce();
    if (files.cert === served?.cert && files.key === served.key) return null;
    // If the settings no longer name one, ours is used again: it may be missing or expired.
    const failure = await makeCertificate(settings, layout, "start").then(() => null, messageOf);
    const pair = readPair(files, clock.now());
    return pair.ok ? null : (failure ?? pair.reason);
  }

  /** Reloads the web only if `of` has it, because it follows the guard: whoever applied the settings restarts it, or `reloadUnread`. */
  async function reloadMarked(of?: readonly ServiceName[]): Promise<string | null> {
    const failures: string[] = [];
    const due = [...unread].filter((service) => of?.includes(service) ?? service !== "web");
    for (const service of due) {
      // Comes before the reload, because the files may change again during it.
      unread.delete(service);
      if (!exists(service)) continue;
      const reason = await reloadService(service, layout).catch(messageOf);
      if (reason !== null) {
        unread.add(service);
        failures.push(`${service} could not be reloaded: ${reason}`);
      } else if (!unread.has(service)) removeFile(unreadMark(layout.services, service));
    }
    return failures.length === 0 ? null : failures.join("; ");
  }

  /** Notes that a service must read its files again. */
  function mark(service: ServiceName): void {
    if (service === "web" && !unread.has("web")) wasWebUnread = false;
    unread.add(service);
    if (!exists(service)) return;
    const why = failureOf(() => writeFile(unreadMark(layout.services, service), "", { mode: 0o600, flush: false }));
    // A full disk must not keep a service from being reloaded.
    if (why !== null) console.error(`keeper: could not record that ${service} must be reloaded: ${why}`);
  }

  function exists(service: ServiceName): boolean {
    return serviceExists(layout.services, service);
  }

  function readInForce(): ReturnType<typeof settingsIn> {
    return settingsInForce(layout, env) ?? readSettings();
  }

  /** `digest`: of the file that the caller read. */
  function readSettings(digest?: string): ReturnType<typeof settingsIn> {
    const loaded = settingsIn(layout.settings, env);
    if (!loaded.ok) return loaded;
    if (digest !== undefined && digest !== digestOf(loaded.text))
      return { ok: false, reason: "The settings file was edited in the meantime." };
    const missing = missingDomain(loaded.settings);
    return missing === null ? loaded : { ok: false, reason: missing };
  }

  async function restart(service: ServiceName): Promise<KeeperReply> {
    const isUnread = unread.delete(service);
    const failure = await restartService(service, layout);
    if (failure === null) {
      if (!unread.has(service)) removeFile(unreadMark(layout.services, service));
      if (service === "dovecot") removeFile(layout.mailKeyUnread);
      return { ok: true, detail: `${service} was restarted.` };
    }
    if (isUnread) unread.add(service);
    const reason = `${service} could not be restarted: ${failure}`;
    // Logged, because no one waits for the reply after a change in the dashboard.
    console.error(`keeper: ${reason}`);
    return { ok: false, reason };
  }

  /** The settings in force, without later edits. Before any are in force, those of the file. */
  function known(): Readonly<{ ok: true; settings: Settings }> | Readonly<{ ok: false; reason: string }> {
    return inForce === null ? readSettings() : { ok: true, settings: inForce };
  }

  async function mailBan(command: BanMail): Promise<KeeperReply> {
    const read = known();
    if (!read.ok) return read;
    const { hostname, "fail2ban.destemail": to, "fail2ban.sender": sender } = read.settings;
    if (to === "") return { ok: true, detail: "No alert address is set." };
    const from = sender === "" ? postmaster(read.settings) : sender;
    return queueMail(layout, { from, to: [to], input: renderBanMail(command, { from, to, hostname }) });
  }

  function mailAlert(command: AlertMail): Promise<KeeperReply> {
    const read = known();
    return alertMails.send(command, read.ok ? read.settings : null);
  }

  return {
    watches,
    lateEnds,
    obey,
    lookAtSettings,
    lookAtCertificate,
    lookAtAccounts,
    reload,
    retry,
    reloadUnread,
    mailAlarm: (alarm: Parameters<MailAlarm>[0]): Promise<KeeperReply> =>
      alertMails.alarm({ verb: "mail_alert", id: randomUUID(), ...alarm }, inForce),
    /** Log retention, by the settings in force. */
    logSettings: (): LogSettings => inForce ?? USUAL_LOG_SETTINGS,
    /** In English while the settings cannot be read. */
    alertLanguage: (): AlertLanguage => inForce?.["alerts.language"] ?? "en",
  };
}
