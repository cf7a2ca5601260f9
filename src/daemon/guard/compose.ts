import { AuthorFiles } from "../../adapters/content/author-files.ts";
import { ResolverNames } from "../../adapters/dns/names.ts";
import { systemClock as clock } from "../../adapters/machine/clock.ts";
import { createLog } from "../../adapters/machine/log.ts";
import { KernelNetworks } from "../../adapters/machine/own-networks.ts";
import { NoticeBoard } from "../../adapters/notifiers/notices.ts";
import { KeeperClient } from "../../adapters/sockets/keeper-client.ts";
import { EventNames } from "../../adapters/sqlite/engine-db/event-names.ts";
import { EventTally } from "../../adapters/sqlite/engine-db/event-tally.ts";
import { messageOf } from "../../core/error.ts";
import { parseAddress } from "../../core/net/address.ts";
import { createCommands } from "../../engine/commands/commands.ts";
import { QueueUpkeep } from "../../engine/commands/queue-upkeep.ts";
import { Engine } from "../../engine/engine.ts";
import { healthOf } from "../../engine/explain/health.ts";
import { createGreylisting } from "../../engine/facts/greylisting.ts";
import { Feed } from "../../engine/feed.ts";
import { reservedBytes } from "../../render/postfix/main.ts";
import { ControlServer } from "../../servers/control-server.ts";
import { atMostTenAMinute, problems, type Report } from "../../servers/report.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { toPolicy } from "../../settings/to-policy.ts";
import type { ReportTakerParts } from "../../sources/reports.ts";
import { BanMails } from "./ban-mails.ts";
import { composeFirewall } from "./compose-firewall.ts";
import { composeMaintenance } from "./compose-maintenance.ts";
import { composeSources } from "./compose-sources.ts";
import { composeStores } from "./compose-stores.ts";
import { DiskWatch } from "./disk-watch.ts";
import { Housekeeping } from "./housekeeping.ts";
import { changedKeys, readSettings } from "./settings.ts";
import { AlertWatch } from "./watch-alerts.ts";
import { ContentWatch, SpamPreferenceFiles } from "./watch-content.ts";

export type GuardProgram = Readonly<{ start(): Promise<void>; stop(): Promise<void> }>;

/**
 * The parts of the guard, in the order in which they need each other: databases, engine, firewall, upkeep, commands,
 * sources. Nothing runs before `start`.
 */
export function composeGuard(layout: Layout, settings: Settings, loginSecret: string): GuardProgram {
  let inForce = settings;
  const log = createLog(clock);
  const warn: Report = (code, detail) => log.warn(problems[code], { code, detail });
  const report = atMostTenAMinute(warn, () => clock.now());
  const notices = new NoticeBoard(clock, log);
  const keeper = new KeeperClient(layout.keeperSocket);
  const own = new KernelNetworks(clock, settings["http.trusted_proxies"]);
  const names = new ResolverNames(settings["dns.address"]);
  const feed = new Feed();

  const flush = (): void => engine.flush();
  const stores = composeStores(layout, clock, flush);
  const { db, events, store, banLog, acquaintances, networks, files, recipients, senders } = stores;
  serve(settings);

  const firstContacts = createGreylisting({
    policy: () => engine.policy,
    largeSenders: () => inForce["greylist.providers"],
    correspondents: acquaintances,
    pauses: acquaintances,
    clock,
  });
  const engine = new Engine({
    ...stores,
    policy: toPolicy(settings),
    history: store,
    jails: store,
    accounts: stores.history,
    own,
    firstContacts,
    notices,
    clock,
    committed: (what) => {
      firewall.committed(what);
      feed.publish(what.lastEventId);
    },
    lost: (error) => maintenance.seen(error),
  });
  const common = { settings, layout, engine, stores, keeper, notices, clock, log };
  const firewall = composeFirewall({ ...common, inForce: () => inForce, own });

  const maintenance = composeMaintenance({ ...common, ...stores });
  const { leakMonitor } = firewall;
  const counts = { removal: maintenance.removal, tally: new EventTally(db), names: new EventNames(db) };
  const queue = new QueueUpkeep({ ...common, ...stores });
  const disk = new DiskWatch({ ...common, reservedBytes: () => reservedBytes(inForce["limits.mail.max_size"]) });
  const housekeeping = new Housekeeping({ ...common, ...counts, queue, banLog, store, leakMonitor, disk });
  const preferences = new SpamPreferenceFiles(layout.spamPreferences, () => senders.byRecipient());
  const authors = new AuthorFiles(layout.authorLists, {
    logins: stores.logins,
    domains: () => engine.policy.domains,
    allowed: () => [...engine.policy.allow, ...store.allowed().map(({ prefix }) => prefix)],
  });
  const content = new ContentWatch({ preferences, authors, log });

  const { startedAt } = engine;
  const told = { startedAt, firewall: () => firewall.enforcer.status(), events: () => events.rows };
  const health = () => healthOf({ keeper, notices, clock, ...told });
  const watch = new AlertWatch({ ...common, db, flush, health, names, recipients }, settings);
  const run = createCommands({
    engine,
    history: store,
    banLog,
    clock,
    accounts: stores.accounts,
    recipients,
    pauses: acquaintances,
    files,
    networks,
    senders,
    preferences,
    keeper,
    notices,
    credentials: stores.credentials,
    heldMail: stores.heldMail,
    queue,
    authors,
    alerts: watch.alerts,
    health,
    reload,
    pending: () => {
      const read = readSettings(layout);
      return read.ok ? { ok: true as const, changed: changedKeys(inForce, read.settings) } : read;
    },
    pid: process.pid,
  });
  const subscribe = feed.subscribe.bind(feed);
  const control = new ControlServer({ origin: "root", run, subscribe, report });
  const fromWeb = new ControlServer({ origin: "web", run, subscribe, report });

  const banMails = new BanMails({ keeper, clock, log });
  const banned: ReportTakerParts["banned"] = (ban, why) => {
    if (inForce["fail2ban.destemail"] !== "") banMails.send(ban, why);
  };
  const sources = composeSources({
    ...common,
    loginSecret,
    firstContacts,
    names,
    report,
    banned,
    isFull: () => disk.lacksInodes,
  });

  /** The settings that Postfix and Dovecot read from the accounts' database. */
  function serve(now: Settings): void {
    const administrator = parseAddress(now["accounts.administrator"]);
    const { domains, "recipients.blocked": refused, "logins.networks": everywhere } = now;
    try {
      networks.serve({ domains, administrator, refused, networks: everywhere });
      if (now["accounts.follow"] === "") files.endFollowing();
    } catch (error) {
      // A full disk: the former values stay in force.
      notices.raise("database_unwritable", messageOf(error));
    }
  }
  function reload() {
    const read = readSettings(layout);
    if (!read.ok) return read;
    const now = read.settings;
    const changed = changedKeys(inForce, now);
    names.use(now["dns.address"]);
    sources.use(now, changed);
    inForce = now;
    serve(now);
    engine.setPolicy(toPolicy(now));
    firewall.enforcer.allowChanged();
    watch.configure(now);
    return { ok: true as const, changed };
  }

  return {
    async start() {
      maintenance.start();
      engine.heedSimulation();
      await sources.listen();
      await control.start(layout.controlSocket, 0o600);
      await fromWeb.start(layout.webSocket, 0o660);
      await firewall.start();
      await housekeeping.start();
      content.start();
      watch.start();
      sources.follow();
      log.info("The guard decides.", { pid: process.pid });
    },
    async stop() {
      housekeeping.stop();
      maintenance.removal.stop();
      content.stop();
      await sources.unfollow();
      await watch.stop();
      await Promise.all([sources.close(), control.stop(), fromWeb.stop()]);
      engine.flush();
      await firewall.stop();
      await maintenance.stop();
    },
  };
}
