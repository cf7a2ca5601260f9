import { AuthorFiles } from "../adapters/author-files.ts";
import { systemClock as clock } from "../adapters/clock.ts";
import { ResolverNames } from "../adapters/dns/names.ts";
import { DnsSenderDomains } from "../adapters/dns/sender-domains.ts";
import { ResolverLookup } from "../adapters/dns/spf-lookup.ts";
import { KeeperClient } from "../adapters/keeper-client.ts";
import { createLog } from "../adapters/log.ts";
import { NftFirewall } from "../adapters/nft/firewall.ts";
import { NoticeBoard } from "../adapters/notices.ts";
import { KernelNetworks } from "../adapters/own-networks.ts";
import { SqliteAccountHistory } from "../adapters/sqlite/account-history.ts";
import { SqliteAccountNetworks } from "../adapters/sqlite/account-networks.ts";
import { SqliteAccounts } from "../adapters/sqlite/accounts.ts";
import { SqliteAcquaintances } from "../adapters/sqlite/acquaintances.ts";
import { SqliteActiveAccounts } from "../adapters/sqlite/active-accounts.ts";
import { SqliteCredentials } from "../adapters/sqlite/admin.ts";
import { SqliteBanLog } from "../adapters/sqlite/ban-log.ts";
import { EventCount } from "../adapters/sqlite/event-count.ts";
import { SqliteFileAccounts } from "../adapters/sqlite/file-accounts.ts";
import { SqliteHonestMail } from "../adapters/sqlite/honest-mail.ts";
import { initialise } from "../adapters/sqlite/initialise.ts";
import { SqliteNetworkHistory } from "../adapters/sqlite/network-history.ts";
import { SqliteRecipients } from "../adapters/sqlite/recipients.ts";
import { Retention } from "../adapters/sqlite/retention.ts";
import { SqliteSenderLogins } from "../adapters/sqlite/sender-logins.ts";
import { SqliteSpamAllow } from "../adapters/sqlite/spam-allow.ts";
import { SqliteStore } from "../adapters/sqlite/store.ts";
import { parseAddress } from "../core/address.ts";
import type { Ban } from "../core/decision.ts";
import type { JailReported } from "../core/event.ts";
import type { Prefix } from "../core/ip.ts";
import { DAY_MS } from "../core/time.ts";
import { createAcquaintance } from "../engine/acquaintance.ts";
import { DnsBlockLists, type ListSettings } from "../engine/block-lists.ts";
import { createCommands } from "../engine/commands.ts";
import { createEnforcer, noEnforcement } from "../engine/enforce.ts";
import { type Committed, Engine } from "../engine/engine.ts";
import { Feed } from "../engine/feed.ts";
import { healthOf } from "../engine/health.ts";
import { Kicker } from "../engine/kick-banned.ts";
import { Lookout } from "../engine/lookout.ts";
import { createInquiry } from "../engine/outside.ts";
import { ProviderPools } from "../engine/provider-pools.ts";
import { createSenderProofs } from "../engine/sender-proof.ts";
import { LOGIN_USER } from "../render/dovecot.ts";
import { ControlServer } from "../servers/control-server.ts";
import { LoginPolicyServer } from "../servers/login-policy-server.ts";
import { PolicyServer } from "../servers/policy-server.ts";
import { atMostTenAMinute, problems, type Report } from "../servers/report.ts";
import type { Layout } from "../settings/layout.ts";
import type { Settings } from "../settings/schema.ts";
import { toPolicy } from "../settings/to-policy.ts";
import { BanMails } from "./ban-mails.ts";
import { composeDoors, connectionLimit } from "./doors.ts";
import { followedLogs } from "./followed-logs.ts";
import { changedKeys, readSettings } from "./guard-settings.ts";
import { Housekeeping } from "./housekeeping.ts";
import { userIds } from "./site.ts";
import { ReportTaker } from "./take-reports.ts";
import { AlertWatch } from "./watch-alerts.ts";
import { ContentWatch, SpamPreferenceFiles } from "./watch-content.ts";
import { LogWatch } from "./watch-logs.ts";

/** How often it is looked whether a block list is due to prove itself. */
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
  const pools = new ProviderPools({ lookup: spfLookup, store: acquaintances, domains: providers, clock, log });
  const acquaintance = createAcquaintance({
    policy: () => engine.policy,
    pools,
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
  const lookout = new Lookout({ notices, clock, isEnforcing, mend: () => enforcer.renew() });
  const retention = new Retention(databases.engine, events, {
    maxRows: settings["events.max_rows"],
    maxBytes: settings["events.max_size"],
    maxAgeMs: settings["events.max_age"],
    windowMs: DAY_MS,
  });
  const housekeeping = new Housekeeping({
    engine,
    banLog,
    store,
    retention,
    lookout,
    clock,
    notices,
    log,
    layout,
    keeper,
  });

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
  const flush = engine.flush.bind(engine);
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
    for (const sighting of what.sightings) lookout.seen(sighting);
    feed.publish(what.lastEventId);
  }
  /** What the accounts' database must know of the settings, for Postfix and Dovecot to read. */
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
      // A full disk: what was there before holds on.
      notices.raise("database_unwritable", error instanceof Error ? error.message : String(error));
    }
  }
  function allowList(): readonly Prefix[] {
    return [...new Set([...own.current(), ...store.allowed()].map(({ prefix }) => prefix).concat(engine.policy.allow))];
  }
  function mailOfBan(ban: Ban, report: JailReported): void {
    if (inForce["fail2ban.destemail"] === "") return;
    banMails.send(ban, report);
  }
  function providers() {
    return inForce["greylist.enabled"] ? inForce["greylist.providers"] : [];
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
    pools.wake();
    watch.configure(read.settings);
    return { ok: true as const, changed };
  }

  return {
    async start() {
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
      pools.wake();
      void blockLists.probeDue();
      probing = setInterval(() => void blockLists.probeDue(), PROBE_LOOK_MS);
      log.info("The guard decides.", { pid: process.pid });
    },
    async stop() {
      housekeeping.stop();
      content.stop();
      await logs.stop();
      await watch.stop();
      await reports.stop();
      spfLookup.cancel();
      await pools.stop();
      clearInterval(probing);
      await Promise.all([policyServer.stop(), loginServer.stop(), control.stop(), fromWeb.stop()]);
      engine.flush();
      await doors.stop();
      await enforcer.stop();
      await firewall.close();
    },
  };
}

function listsOf(settings: Settings): ListSettings {
  return { zones: settings["dnsbl.zones"], checkEveryMs: settings["dnsbl.check_every"] };
}
