import assert from "node:assert/strict";
import type { ComponentHealth } from "../../src/admin/declare/items.ts";
import { parseIp } from "../../src/core/net/ip.ts";
import { type AlertSettings, Alerts } from "../../src/guard/alerts/alerts.ts";
import { ComponentWatch } from "../../src/guard/alerts/health-watch.ts";
import type { AlertMessage } from "../../src/guard/alerts/ports.ts";
import { SqliteAlertEvents, SqliteAlertStore } from "../../src/store/engine-db/alerts.ts";
import { engineOnMemory } from "./engine-kit.ts";

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Real alerts on a real engine's database, with a fake channel. */
export function alertsOnDatabase(settleMs = 60_000) {
  const { engine, db, clock, notices } = engineOnMemory();
  const sent: AlertMessage[] = [];
  const down: ComponentHealth[] = [];
  let reachable = true;
  const channel = {
    name: "channel",
    send: (message: AlertMessage) => {
      if (!reachable) return Promise.resolve({ ok: false, reason: "no one there" } as const);
      sent.push(message);
      return Promise.resolve({ ok: true } as const);
    },
  };
  const settings: AlertSettings = {
    thresholds: {
      failed_logins: 3,
      dashboard_logins: 3,
      spraying: 1,
      mail_undelivered: 1,
      web_overreach: 1,
      password_guessed: 3,
      unusual_connections: 3,
      spam_volume: 3,
      many_bans: 3,
      repeated_violations: 3,
    },
    volume: { minimum: 50, factor: 5 },
    settleMs,
    schedule: { quiet: null, timeZone: "UTC", digestMs: 0 },
    language: "en",
    channels: [channel],
  };
  const make = (): Alerts => {
    const components = new ComponentWatch(() => Promise.resolve(down), clock);
    const parts = { events: new SqliteAlertEvents(db), store: new SqliteAlertStore(db), notices, components, clock };
    return new Alerts({ ...parts, log: SILENT }, settings);
  };
  let alerts = make();
  return {
    engine,
    db,
    clock,
    notices,
    down,
    reach: (is: boolean) => (reachable = is),
    /** Restarts as after a kill: only stored state survives. */
    restart: () => (alerts = make()),
    alerts: () => alerts,
    signIn: async (from: string, login: "admin" | "anna@example.test" = "admin"): Promise<void> => {
      const service = login === "admin" ? "dashboard" : "imap";
      const ip = parseIp(from) ?? assert.fail();
      await engine.ask({ type: "LOGIN_SUCCEEDED", ip, service, login, passwordHash: "" });
    },
    fail: async (password: string): Promise<void> => {
      const ip = parseIp("203.0.113.200");
      assert.ok(ip !== null);
      await engine.ask({
        type: "LOGIN_FAILED",
        ip,
        service: "imap",
        login: "anna@example.test",
        passwordHash: password,
      });
    },
    seconds: async (count: number): Promise<readonly string[]> => {
      for (let i = 0; i < count; i++) {
        await alerts.round();
        clock.advance(1_000);
      }
      await alerts.stop();
      return sent.splice(0).map(({ kind, code, subject }) => `${kind} ${code ?? ""} ${subject}`.trim());
    },
  };
}
