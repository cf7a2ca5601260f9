import { MINUTE_MS } from "../../src/core/time.ts";
import { Alerts } from "../../src/guard/alerts/alerts.ts";
import { watchComponents } from "../../src/guard/alerts/health-watch.ts";
import type { AlertMessage } from "../../src/guard/alerts/ports.ts";
import { sqliteAlertEvents, sqliteAlertStore } from "../../src/store/engine-db/alerts.ts";
import { SETTINGS } from "./alerts-kit.ts";
import { guess } from "./engine-events.ts";
import { engineOnMemory, SILENT } from "./engine-kit.ts";
import { ip } from "./samples.ts";

/** Real alerts on a real engine's database, with a fake channel. */
export function alertsOnDatabase() {
  const { engine, db, clock, notices } = engineOnMemory();
  const sent: AlertMessage[] = [];
  let reachable = true;
  const channel = {
    name: "channel",
    send: (message: AlertMessage) => {
      if (!reachable) return Promise.resolve({ ok: false, reason: "no one there" } as const);
      sent.push(message);
      return Promise.resolve({ ok: true } as const);
    },
  };
  const settings = { ...SETTINGS, settleMs: MINUTE_MS, channels: [channel] };
  const make = (): Alerts => {
    const components = watchComponents(() => Promise.resolve([]), clock);
    const parts = { events: sqliteAlertEvents(db), store: sqliteAlertStore(db), notices, components, clock };
    return new Alerts({ ...parts, log: SILENT }, settings);
  };
  let alerts = make();
  return {
    engine,
    db,
    clock,
    notices,
    reach: (is: boolean) => (reachable = is),
    /** Restarts as after a kill: only stored state survives. */
    restart: () => (alerts = make()),
    alerts: () => alerts,
    signIn: async (from: string, login: "admin" | "anna@example.test" = "admin"): Promise<void> => {
      const service = login === "admin" ? "dashboard" : "imap";
      await engine.ask({ type: "LOGIN_SUCCEEDED", ip: ip(from), service, login, passwordHash: "" });
    },
    fail: async (password: string): Promise<void> => {
      await engine.ask({ ...guess(password, ip("203.0.113.200")), login: "anna@example.test" });
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
