import { AuthorFiles } from "../../adapters/content/author-files.ts";
import { ResolverNames } from "../../adapters/dns/names.ts";
import { DnsSenderDomains } from "../../adapters/dns/sender-domains.ts";
import { ResolverLookup } from "../../adapters/dns/spf-lookup.ts";
import { systemClock as clock } from "../../adapters/machine/clock.ts";
import { createLog } from "../../adapters/machine/log.ts";
import { KernelNetworks } from "../../adapters/machine/own-networks.ts";
import { NftFirewall } from "../../adapters/nft/firewall.ts";
import { NoticeBoard } from "../../adapters/notifiers/notices.ts";
import { KeeperClient } from "../../adapters/sockets/keeper-client.ts";
import { SqliteAccountNetworks } from "../../adapters/sqlite/accounts-db/account-networks.ts";
import { SqliteAccounts } from "../../adapters/sqlite/accounts-db/accounts.ts";
import { SqliteActiveAccounts } from "../../adapters/sqlite/accounts-db/active-accounts.ts";
import { SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { SqliteFileAccounts } from "../../adapters/sqlite/accounts-db/file-accounts.ts";
import { SqliteSpamAllow } from "../../adapters/sqlite/accounts-db/spam-allow.ts";
import { SqliteAccountHistory } from "../../adapters/sqlite/engine-db/account-history.ts";
import { SqliteAcquaintances } from "../../adapters/sqlite/engine-db/acquaintances.ts";
import { SqliteBanLog } from "../../adapters/sqlite/engine-db/ban-log.ts";
import { EventCount } from "../../adapters/sqlite/engine-db/event-count.ts";
import { EventNames } from "../../adapters/sqlite/engine-db/event-names.ts";
import { EventTally } from "../../adapters/sqlite/engine-db/event-tally.ts";
import { SqliteHonestMail } from "../../adapters/sqlite/engine-db/honest-mail.ts";
import { initialise } from "../../adapters/sqlite/engine-db/initialise.ts";
import { SqliteNetworkHistory } from "../../adapters/sqlite/engine-db/network-history.ts";
import { SqliteRecipients } from "../../adapters/sqlite/engine-db/recipients.ts";
import { SqliteSenderLogins } from "../../adapters/sqlite/engine-db/sender-logins.ts";
import { SqliteStore } from "../../adapters/sqlite/engine-db/store.ts";
import type { Ban } from "../../core/decide/decision.ts";
import { messageOf } from "../../core/error.ts";
import type { JailReported } from "../../core/events/report.ts";
import { parseAddress } from "../../core/net/address.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { BanLeakMonitor } from "../../engine/alerts/ban-leak-monitor.ts";
import { createCommands } from "../../engine/commands/commands.ts";
import { createEnforcer, noEnforcement } from "../../engine/enforce/enforce.ts";
import { Kicker } from "../../engine/enforce/kick-banned.ts";
import { type Committed, Engine } from "../../engine/engine.ts";
import { healthOf } from "../../engine/explain/health.ts";
import { createAcquaintance } from "../../engine/facts/acquaintance.ts";
import { createSenderProofs } from "../../engine/facts/sender-proof.ts";
import { Feed } from "../../engine/feed.ts";
import { DnsBlockLists, type ListSettings } from "../../engine/lookups/block-lists.ts";
import { createInquiry } from "../../engine/outside.ts";
import { LOGIN_USER } from "../../render/dovecot/dovecot.ts";
import { ControlServer } from "../../servers/control-server.ts";
import { atMostTenAMinute, problems, type Report } from "../../servers/report.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { toPolicy } from "../../settings/to-policy.ts";
import { followedLogs } from "../../sources/followed-logs.ts";
import { LoginPolicyServer } from "../../sources/login-policy-server.ts";
import { PolicyServer } from "../../sources/policy-server.ts";
import { ReportTaker } from "../../sources/reports.ts";
import { LogWatch } from "../../sources/watch-logs.ts";
import { userIds } from "../set-up/site.ts";
import { BanMails } from "./ban-mails.ts";
import { composeDoors, connectionLimit } from "./compose-doors.ts";
import { composeMaintenance } from "./compose-maintenance.ts";
import { Housekeeping } from "./housekeeping.ts";
import { changedKeys, readSettings } from "./settings.ts";
import { AlertWatch } from "./watch-alerts.ts";
import { ContentWatch, SpamPreferenceFiles } from "./watch-content.ts";

/** How often it is checked whether a block list is due for its test. */
const PROBE_LOOK_MS = 500;

export type Guard = Readonly<{ start(): Promise<void>; stop(): Promise<void> }>;

/** Every part of the guard on one line, in the order in which they need each other. Nothing runs before `start`. */
export function composeGuard(layout: Layout, settings: Settings, loginSecret: string): Guard {
  const log = createLog(clock);
  const warn: Report = (code, detail) => log.warn(problems[code], { code, detail });
  const report = atMostTenAMinute(warn, () => clock.now());
  const notices = new NoticeBoard(clock, log);
  const databases = initialise(layout);
  const events = new EventCount(databases.engine);
  const store = new SqliteStore(databases.engine, events);
  const banLog = new SqliteBanLog(databases.engine);
  const accounts = new SqliteAccounts(databases.accounts);
  const credentials = new SqliteCredentials(databases.engine, clock);
  const own = new KernelNetworks(clock, settings["http.trusted_proxies"]);
  const keeper = new KeeperClient(layout.keeperSocket);
  const feed = new Feed();
  const banMails = new BanMails({ keeper, clock, log });

  const recipients = new SqliteRecipients(databases.accounts, clock);
  const networks = new SqliteAccountNetworks(databases.accounts);
  const files = new SqliteFileAccounts(databases.accounts);
  serve(settings);
  const acquaintances = new SqliteAcquaintances(databases.engine, databases.accounts);
  const spfLookup = new ResolverLookup(settings["dns.address"]);
  const acquaintance = createAcquaintance({
    policy: () => engine.policy,
    largeSenders: () => inForce["greylist.providers"],
    correspondents: acquaintances,
    pauses: acquaintances,
    clock,
  });
  const history = new SqliteAccountHistory(databases.engine);
  const engine = new Engine({
    policy: toPolicy(settings),
    store,
    history: store,
    own,
    recipients,
    acquaintance,
    networks,
    jails: store,
    active: new SqliteActiveAccounts(databases.accounts),
    accounts: history,
    honest: new SqliteHonestMail(databases.engine),
    neighbours: new SqliteNetworkHistory(databases.engine),
    notices,
    clock,
    committed,
  });
  const firewall = new NftFirewall({
    ipv6Prefix: () => engine.policy.bans.ipv6Prefix,
    connections: () => connectionLimit(inForce),
    local: () => ({ port: settings["ports.login_policy"], users: [userIds(LOGIN_USER).uid] }),
  });
  const enforcer = settings["firewall.enabled"]
    ? createEnforcer({ banLog, firewall, allowList, clock, notices, log })
    : noEnforcement;
  const doors = composeDoors({ settings: () => inForce, engine, accounts: history, clock, log });
  const kicker = new Kicker({ banLog, keeper, log });
  const isEnforcing = () => enforcer.status().state === "enforcing";
  const leakMonitor = new BanLeakMonitor({ notices, clock, isEnforcing, mend: () => enforcer.renew() });
  const maintenance = composeMaintenance({
    db: databases.engine,
    engine,
    store,
    events,
    settings,
    layout,
    clock,
    notices,
    log,
  });
  const housekeeping = new Housekeeping({
    engine,
    banLog,
    store,
    removal: maintenance.removal,
    tally: new EventTally(databases.engine),
    names: new EventNames(databases.engine),
    leakMonitor,
    clock,
    notices,
    log,
    layout,
    keeper,
  });

  const flush = engine.flush.bind(engine);
  const senders = new SqliteSpamAllow(databases.engine, databases.accounts);
  const preferences = new SpamPreferenceFiles(layout.spamPreferences, () => senders.byRecipient());
  const authors = new AuthorFiles(layout.authorLists, {
    logins: new SqliteSenderLogins(databases.accounts),
    domains: () => engine.policy.domains,
    allowed: () => [...engine.policy.allow, ...store.allowed().map(({ prefix }) => prefix)],
  });
  const submit = engine.submit.bind(engine);
  const health = () =>
    healthOf({
      keeper,
      notices,
      clock,
      startedAt: engine.startedAt,
      firewall: () => enforcer.status(),
      events: () => events.rows,
    });
  const names = new ResolverNames(settings["dns.address"]);
  const watch = new AlertWatch({ db: databases.engine, flush, health, notices, names, keeper, clock, log }, settings);
  const run = createCommands({
    engine,
    history: store,
    banLog,
    clock,
    accounts,
    recipients,
    pauses: acquaintances,
    files,
    networks,
    senders,
    preferences,
    keeper,
    notices,
    credentials,
    authors,
    alerts: watch.alerts,
    health,
    reload,
    pid: process.pid,
  });
  const logs = new LogWatch({ engine, positions: store, log, logs: followedLogs(layout, settings, engine.startedAt) });
  const spam = settings["spam.enabled"];
  const content = new ContentWatch({ layout, preferences, authors, notices, clock, log, spam });
  const reports = new ReportTaker({ directory: layout.fail2banSpool, engine, log, banned: mailOfBan });
  const blockLists = new DnsBlockLists({ names, clock, notices }, listsOf(settings));
  const senderDomains = new DnsSenderDomains(settings["dns.address"], clock);
  const proofs = createSenderProofs(acquaintance, spfLookup);
  const policyServer = new PolicyServer(createInquiry(engine, blockLists, senderDomains, proofs), report);
  let probing: NodeJS.Timeout | undefined;
  const loginServer = new LoginPolicyServer({ submit, report, secret: loginSecret });
  const subscribe = feed.subscribe.bind(feed);
  const control = new ControlServer({ origin: "root", run, subscribe, report });
  const fromWeb = new ControlServer({ origin: "web", run, subscribe, report });

  function committed(what: Committed): void {
    if (what.allowChanged) enforcer.allowChanged();
    else if (what.bansChanged) enforcer.nudge();
    if (what.bansChanged) kicker.nudge(["unavailable", "off"].includes(enforcer.status().state));
    for (const sighting of what.sightings) leakMonitor.seen(sighting);
    feed.publish(what.lastEventId);
  }
  /** The settings that Postfix and Dovecot read from the accounts' database. */
  function serve(now: Settings): void {
    const administrator = parseAddress(now["accounts.administrator"]);
    try {
      networks.serve({
        domains: now.domains,
        administrator,
        refused: now["recipients.blocked"],
        networks: now["logins.networks"],
      });
      if (now["accounts.follow"] === "") files.endFollowing();
    } catch (error) {
      // A full disk: the former values stay in force.
      notices.raise("database_unwritable", messageOf(error));
    }
  }
  function allowList(): readonly Prefix[] {
    return [...new Set([...own.current(), ...store.allowed()].map(({ prefix }) => prefix).concat(engine.policy.allow))];
  }
  function mailOfBan(ban: Ban, report: JailReported): void {
    if (inForce["fail2ban.destemail"] === "") return;
    banMails.send(ban, report);
  }
  let inForce = settings;
  function reload() {
    const read = readSettings(layout);
    if (!read.ok) return read;
    const changed = changedKeys(inForce, read.settings);
    names.use(read.settings["dns.address"]);
    senderDomains.use(read.settings["dns.address"]);
    spfLookup.use(read.settings["dns.address"]);
    if (changed.some((key) => key.startsWith("dnsbl."))) blockLists.configure(listsOf(read.settings));
    inForce = read.settings;
    serve(read.settings);
    engine.setPolicy(toPolicy(read.settings));
    enforcer.allowChanged();
    watch.configure(read.settings);
    return { ok: true as const, changed };
  }

  return {
    async start() {
      maintenance.start();
      await policyServer.start(layout.policySocket);
      await loginServer.start(settings["ports.login_policy"]);
      await control.start(layout.controlSocket, 0o600);
      await fromWeb.start(layout.webSocket, 0o660);
      await enforcer.start();
      if (settings["firewall.enabled"]) doors.start();
      await housekeeping.start();
      logs.start();
      content.start();
      watch.start();
      reports.start();
      void blockLists.probeDue();
      probing = setInterval(() => void blockLists.probeDue(), PROBE_LOOK_MS);
      log.info("The guard decides.", { pid: process.pid });
    },
    async stop() {
      housekeeping.stop();
      maintenance.removal.stop();
      content.stop();
      await logs.stop();
      await watch.stop();
      await reports.stop();
      spfLookup.cancel();
      clearInterval(probing);
      await Promise.all([policyServer.stop(), loginServer.stop(), control.stop(), fromWeb.stop()]);
      engine.flush();
      await doors.stop();
      await enforcer.stop();
      await firewall.close();
      await maintenance.stop();
    },
  };
}

function listsOf(settings: Settings): ListSettings {
  return { zones: settings["dnsbl.zones"], checkEveryMs: settings["dnsbl.check_every"] };
}
