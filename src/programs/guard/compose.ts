import { readOr } from "../../core/error.ts";
import { domainOf, parseAccountName, withoutExtension } from "../../core/net/address.ts";
import { lookAtFactors } from "../../guard/access/factors.ts";
import { NoticeBoard } from "../../guard/alerts/notices.ts";
import { createCommands } from "../../guard/commands/commands.ts";
import { createOwnDeliveries, QueueUpkeep } from "../../guard/commands/queue/queue-upkeep.ts";
import { createUpkeep } from "../../guard/commands/upkeep.ts";
import { CommitFeed } from "../../guard/commits.ts";
import { endingSubmission, SubmissionSessions } from "../../guard/enforce/submission-sessions.ts";
import { Engine } from "../../guard/engine.ts";
import { healthOf } from "../../guard/explain/health.ts";
import { createGreylisting } from "../../guard/facts/greylisting.ts";
import { SmtpProgress } from "../../guard/facts/smtp-sessions.ts";
import { createDnsWatch } from "../../guard/lookups/watch-dns.ts";
import { createSteadyClock } from "../../host/machine/clock.ts";
import { createLog } from "../../host/machine/log.ts";
import { createOwnNetworks } from "../../host/machine/own-networks.ts";
import { createKeeperClient } from "../../host/sockets/keeper-client.ts";
import { atMostTenAMinute, problems, type Report } from "../../host/sockets/unix-socket.ts";
import { lookAtExport } from "../../jobs/export/delivery-record.ts";
import { sinceStart } from "../../mail/configuration/mail-services.ts";
import { publishedFor } from "../../mail/dns/published-records.ts";
import { ResolverNames } from "../../mail/dns/resolver.ts";
import type { ReportTakerParts } from "../../mail/fail2ban/report-taker.ts";
import { alertMailTo } from "../../mail/notifiers/channels.ts";
import { reservedBytes } from "../../mail/postfix/main-cf.ts";
import type { Layout } from "../../settings/layout.ts";
import type { ValidSettings } from "../../settings/load.ts";
import { dashboardNames, notStartedWith } from "../../settings/program-settings.ts";
import { shownValue } from "../../settings/show.ts";
import { toPolicy } from "../../settings/to-policy.ts";
import { sqliteLastSignIns } from "../../store/engine-db/account-history.ts";
import { sqliteEventNames } from "../../store/events/event-index.ts";
import { sqliteEventTally } from "../../store/events/event-tally.ts";
import { sqliteFigures } from "../../store/events/figures.ts";
import { WalFlush } from "../../store/maintenance/write-ahead-log.ts";
import { accountSecrets, PasswordTurns } from "../../store/passwords/password-turns.ts";
import { createControlServer } from "../../surfaces/control-server.ts";
import { composeFirewall } from "./compose-firewall.ts";
import { composeMaintenance } from "./compose-maintenance.ts";
import { composeSources } from "./compose-sources.ts";
import { composeStores } from "./compose-stores.ts";
import { createHousekeeping } from "./housekeeping.ts";
import {
  changedKeys,
  createDomainWatch,
  createServedSettings,
  readInForce,
  readSettings,
  readSettingsText,
} from "./settings.ts";
import { createAlertWatch } from "./watch-alerts.ts";
import { createBanMails, lookAtBans } from "./watch-bans.ts";
import { createAuthorFiles, createContentLists, createSpamPreferenceFiles } from "./watch-content.ts";
import { createClockWatch, createDiskWatch, createTrackingWatch } from "./watch-machine.ts";

/**
 * The parts of the guard, in the order in which they need each other (callbacks may name later ones): databases, engine, firewall,
 * upkeep, commands, sources. Composing them already writes both databases. No server or timer starts before `start`.
 */
export function composeGuard(layout: Layout, read: ValidSettings, loginSecret: string) {
  const { settings } = read;
  let settingsNow = settings;
  let { sources: settingSourcesNow } = read;
  const clock = createSteadyClock();
  const log = createLog(clock);
  const warn: Report = (code, detail) => log.warn(problems[code], { code, detail });
  const report = atMostTenAMinute(warn, () => clock.now());
  const notices = new NoticeBoard(clock, log);
  const submissionSessions = new SubmissionSessions();
  const keeper = endingSubmission(createKeeperClient(layout.keeperSocket), submissionSessions);
  const own = createOwnNetworks(clock, [...settings["http.trusted_proxies"], ...settings["proxy.networks"]]);
  const names = new ResolverNames(settings["dns.address"]);
  const feed = new CommitFeed();
  const commit = (): void => engine.commit();
  const stores = composeStores(layout, clock, commit);
  const { db, events, store, banLog, correspondents, senders } = stores;
  const served = createServedSettings({ ...stores, notices, clock });
  served.serve(settings);

  const greylisting = createGreylisting({
    policy: () => engine.policy,
    largeSenders: () => settingsNow["greylist.providers"],
    honest: stores.honest,
    correspondents,
    pauses: correspondents,
    clock,
    isClockDoubtful: () => clock.jump() !== null,
  });
  const engine = new Engine({
    ...stores,
    policy: toPolicy(settings),
    history: store,
    bansInForce: store,
    jails: store,
    queuedMail: store,
    accounts: stores.accountHistory,
    forwardReach: stores.reach,
    own,
    firstContacts: greylisting,
    notices,
    clock,
    committed: (what) => {
      firewall.onCommit(what);
      toDisk.onCommit(what);
      feed.publish(what.lastEventId);
    },
    lost: (error) => maintenance.noteError(error),
  });
  const toDisk = new WalFlush({
    databases: [layout.engineDb, layout.accountsDb],
    between: commit,
    ended: (why) => notices.set("database_unflushed", why),
  });
  const progress = new SmtpProgress();
  const common = { settings, layout, engine, stores, keeper, notices, clock, log };
  const firewall = composeFirewall({ ...common, settingsNow: () => settingsNow, own, progress });

  const maintenance = composeMaintenance(common);
  const counts = { removal: maintenance.removal, tally: sqliteEventTally(db), eventNames: sqliteEventNames(db) };
  const queue = new QueueUpkeep({ ...common, ...stores });
  const deliveries = createOwnDeliveries({ ...common, domains: () => engine.policy.domains });
  const disk = createDiskWatch({ ...common, reservedBytes: () => reservedBytes(settingsNow["limits.mail.max_size"]) });
  const clockWatch = createClockWatch({ ...common, clock, restart: () => maintenance.restart() });
  /**
   * Whether a copy of the mail may wait in our queue: for another server, or for a mailbox whose quota Postfix does not ask about. Postfix
   * asks only about the recipient's own mailbox and the only account behind an alias. Null stands for a mail that will be held, and counts
   * as another server.
   */
  const mayWait = (recipient: string | null): boolean => {
    const address = (recipient ?? "").toLowerCase();
    const named = withoutExtension(address);
    // Accounts that cannot be read must not end an answer halfway.
    const others = readOr(() => stores.reach.onward(address), []).filter((one) => one !== address && one !== named);
    const isOutside = [named, ...others].some((one) => !engine.policy.domains.includes(domainOf(one)));
    return isOutside || others.length > (stores.active.isActive(named) ? 0 : 1);
  };
  const figures = sqliteFigures(db);
  const tracking = createTrackingWatch(notices);
  const dns = createDnsWatch({ names, domain: () => engine.policy.domains[0], notices, clock });
  const watches = {
    often: [
      clockWatch,
      () => firewall.lookAtBlockedPorts(),
      () => lookAtFactors({ notices, ...stores }),
      () => disk.look(),
      () => firewall.leakMonitor.look(),
      () => served.look(),
      // Checked often, because accounts and aliases change in several ways.
      () => contentLists.refresh(),
    ],
    seldom: [
      createDomainWatch(stores.accountsDb, stores.logins.changes, notices),
      () => lookAtBans(figures, settingsNow["alerts.thresholds.bans_in_force"], notices, clock),
      tracking,
      () => void dns.look(),
      () => firewall.lookAtSessions(),
      () => firewall.lookAtProxyUser(),
      () => lookAtExport(layout, notices, clock),
    ],
  };
  const housekeeping = createHousekeeping({ ...common, ...counts, queue, banLog, store, disk, deliveries, watches });
  const preferences = createSpamPreferenceFiles(layout.spamPreferences, {
    byRecipient: senders.byRecipient,
    changes: () => senders.changes() + stores.logins.changes(),
  });
  const authors = createAuthorFiles(layout.authorLists, {
    logins: stores.logins,
    domains: () => engine.policy.domains,
    allowed: () => [...engine.policy.allow, ...store.allowEntries().map(({ prefix }) => prefix)],
  });
  const contentLists = createContentLists({ preferences, authors, log });

  const { startedAt } = engine;
  const firewallStatus = () => firewall.enforcer.status();
  const state = { startedAt, keeperSeen: { at: startedAt }, firewall: firewallStatus, events: () => events.rows };
  const isSuspended = (account: string): boolean => {
    const name = parseAccountName(account);
    return name !== null && readOr(() => stores.accountLists.account(name)?.suspended === true, false);
  };
  const needs = async () => {
    const checks = await upkeep.checks();
    // If a database cannot be read, a notice says so.
    const held = readOr(() => stores.heldMail.counts(), []);
    return { alerts: watch.alerts.book.open, isSuspended, checks: checks.ok ? checks.result : null, held };
  };
  const upkeep = createUpkeep({ ...common, ...stores, settings: () => settingsNow, publishedFor });
  const health = () => healthOf({ keeper, notices, clock, ...state, needs });
  const onCommit = toDisk.onCommit.bind(toDisk);
  const watch = createAlertWatch({ ...stores, ...common, commit, onCommit, health, names }, settings);
  const passwords = new PasswordTurns();
  const run = createCommands({
    ...stores,
    engine,
    bansInForce: store,
    allowList: store,
    clock,
    lastSignIn: sqliteLastSignIns(db),
    secrets: accountSecrets(passwords, loginSecret),
    mailboxes: () => ({
      quotaBytes: settingsNow["mailboxes.quota"],
      keyOfEach: settingsNow["mailboxes.encryption"] === "account",
      maySignIn: settingsNow["http.mailboxes"],
    }),
    alertsTo: () => alertMailTo(settingsNow),
    pauses: correspondents,
    keeper,
    tokens: (asked) => stores.credentials.tokens(asked),
    hostname: () => settingsNow.hostname,
    mailPorts: () => ({
      host: settingsNow.hostname,
      imapPort: settingsNow["ports.imaps"],
      smtpPort: settingsNow["ports.submissions"],
    }),
    names: () => dashboardNames(settingsNow),
    passwords,
    queue,
    contentLists,
    alerts: watch.alerts,
    health,
    flushed: () => toDisk.flushed(),
    settingsText: () => readSettingsText(layout),
    reload,
    pending: () => {
      const now = readSettings(layout);
      if (!now.ok) return now;
      const changed = changedKeys(settingsNow, now.settings);
      const since = sinceStart(layout);
      const running: Readonly<Record<string, string | undefined>> = since;
      const inForce = changed.map((key) => running[key] ?? shownValue(key, settingSourcesNow));
      return { ok: true as const, changed, inForce, waiting: notStartedWith(now.sources, since) };
    },
    upkeep,
    pid: process.pid,
  });
  const subscribe = feed.subscribe.bind(feed);
  const control = createControlServer({ origin: "root", run, subscribe, report });
  const fromWeb = createControlServer({ origin: "web", run, subscribe, report });

  const mailBan = createBanMails({ keeper, clock, log });
  const banned: ReportTakerParts["banned"] = (ban, why) => {
    if (settingsNow["fail2ban.destemail"] !== "") mailBan(ban, why);
  };
  const sources = composeSources({
    ...common,
    loginSecret,
    greylisting,
    names,
    report,
    banned,
    submissionSessions,
    progress,
    hasRoom: (recipient) => !disk.lacksRoom() && !(disk.lacksRoomToQueue() && mayWait(recipient)),
    guardsProxied: () => firewall.guardsProxied(),
    aheadMs: () => clock.jump()?.byMs ?? 0,
  });

  function reload() {
    const again = readInForce(layout);
    if (!again.ok) return again;
    const now = again.settings;
    const changed = changedKeys(settingsNow, now);
    names.use(now["dns.address"]);
    sources.use(now, changed);
    settingsNow = now;
    settingSourcesNow = again.sources;
    served.serve(now);
    engine.setPolicy(toPolicy(now));
    firewall.enforcer.rebuild();
    deliveries.reloaded();
    watch.configure(now);
    return { ok: true as const, changed };
  }

  return {
    async start() {
      maintenance.start();
      engine.simulationChanged();
      await sources.listen();
      await control.start(layout.controlSocket, 0o600);
      await fromWeb.start(layout.webSocket, 0o660);
      await housekeeping.finishBreakGlass();
      await firewall.start();
      housekeeping.start();
      contentLists.refresh();
      watch.start();
      sources.followLogs();
      log.info("The guard is ready.", { pid: process.pid });
    },
    async stop() {
      housekeeping.stop();
      maintenance.removal.stop();
      await sources.unfollowLogs();
      await watch.stop();
      await Promise.all([sources.close(), control.stop(), fromWeb.stop()]);
      engine.commit();
      await toDisk.stop();
      await firewall.stop();
      await maintenance.stop();
    },
  };
}
