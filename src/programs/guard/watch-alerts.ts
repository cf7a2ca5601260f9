import type { DatabaseSync } from "node:sqlite";
import type { Health } from "../../admin/declare/items.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import { readOr } from "../../core/error.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { SECOND_MS } from "../../core/time.ts";
import { type AlertSettings, Alerts } from "../../guard/alerts/alerts.ts";
import { createHeartbeat, watchComponents } from "../../guard/alerts/health-watch.ts";
import type { AlertMessage, Sent } from "../../guard/alerts/ports.ts";
import type { NameLookup } from "../../guard/network-ports.ts";
import type { RecipientDirectory } from "../../guard/ports.ts";
import {
  alertMailTo,
  type ChannelWorld,
  channelsOf,
  ownQueue,
  postmaster,
  watcherOf,
} from "../../mail/notifiers/channels.ts";
import { receiverLookup } from "../../mail/notifiers/push.ts";
import type { Settings } from "../../settings/schema.ts";
import { sqliteAlertEvents, sqliteAlertStore } from "../../store/engine-db/alerts.ts";
import type { GuardParts } from "./compose-stores.ts";

type AlertWatchParts = Pick<GuardParts, "keeper" | "notices" | "clock" | "log"> &
  Readonly<{
    db: DatabaseSync;
    /** Commits the open transaction of the connection. */
    commit: () => void;
    /** Call it after a separate commit: flushes it to the disk like the engine's. */
    onCommit: (what: Readonly<{ bansChanged: boolean }>) => void;
    health: () => Promise<Health>;
    names: Pick<NameLookup, "addresses">;
    recipients: RecipientDirectory;
    accountLists: Pick<GuardParts["stores"]["accountLists"], "account">;
  }>;

/** Alerts and the heartbeat, handled once a second in parallel with decisions, which come first. */
export function createAlertWatch(parts: AlertWatchParts, settingsAtStart: Settings) {
  const { db, commit, onCommit, health, notices, names, keeper, recipients, accountLists, clock, log } = parts;
  let settings = settingsAtStart;
  let timer: NodeJS.Timeout | undefined;
  const world: ChannelWorld = { lookup: receiverLookup(names), clock };
  const heartbeat = createHeartbeat({ isWell: () => alerts.isWell, clock, log });
  const store = sqliteAlertStore(db);
  const events = sqliteAlertEvents(db);
  const alerts = new Alerts(
    {
      events: {
        ...events,
        last: () => {
          // Commits first: a lost transaction's ids are reused, and their new events would be skipped.
          commit();
          return events.last();
        },
        between: (after, upTo) =>
          events
            .between(after, upTo)
            .map((event) => ({ ...event, isKnownAccount: event.isKnownAccount || isAccount(event) })),
      },
      store: {
        ...store,
        save: (state) => {
          commit();
          store.save(state);
          onCommit({ bansChanged: false });
        },
      },
      notices,
      components: watchComponents(async () => (await health()).components, clock, log),
      clock,
      log,
    },
    alertSettings(),
  );

  function isAccount({ account }: AlertEvent): boolean {
    const name = parseAccountName(account ?? "");
    // Not if it is spelled differently, because the alert names what was typed.
    return name !== null && name === account?.toLowerCase() && readOr(() => accountLists.account(name) !== null, false);
  }

  /** A new server has no account yet, and so no postmaster: the alert is sent once there is one. */
  async function ownQueueMail(message: AlertMessage): Promise<Sent> {
    const to = postmaster(settings);
    if (settings["alerts.email"].length === 0 && !readOr(() => recipients.exists(to), true))
      return { ok: false, reason: `${to} reaches no one before the first account is added.`, waits: true };
    return ownQueue(keeper)(message);
  }

  function alertSettings(): AlertSettings {
    const watcher = watcherOf(settings, world);
    return {
      mailedTo: alertMailTo(settings),
      thresholds: {
        failed_logins: settings["alerts.thresholds.failed_logins"],
        dashboard_logins: settings["alerts.thresholds.dashboard_logins"],
        password_guessed: settings["alerts.thresholds.password_guessed"],
        unusual_connections: settings["alerts.thresholds.networks"],
        spam_volume: settings["alerts.thresholds.spam"],
        many_bans: settings["alerts.thresholds.bans"],
        repeated_violations: settings["alerts.thresholds.repeated"],
        spraying: 1,
        web_overreach: 1,
      },
      volume: { minimum: settings["alerts.thresholds.volume"], factor: settings["alerts.thresholds.volume_factor"] },
      settleMs: settings["alerts.resolve_after"],
      schedule: {
        quiet: settings["alerts.quiet_hours"],
        timeZone: settings["alerts.time_zone"],
        digestMs: settings["alerts.digest"],
      },
      language: settings["alerts.language"],
      channels: channelsOf(settings, { ...world, ownQueue: ownQueueMail }),
      watcher: watcher === null ? null : { ...watcher, failing: () => heartbeat.failing(watcher.name) },
    };
  }

  return {
    alerts,
    configure(now: Settings): void {
      settings = now;
      alerts.configure(alertSettings());
    },
    start(): void {
      timer = setInterval(() => {
        void alerts.round();
        void heartbeat.round(watcherOf(settings, world), settings["alerts.heartbeat_every"]);
      }, SECOND_MS);
    },
    /** Finishes the running round; undelivered messages are sent after the next start. */
    async stop(): Promise<void> {
      clearInterval(timer);
      await alerts.stop();
    },
  };
}
