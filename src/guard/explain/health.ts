import type { ComponentHealth, Health } from "../../admin/declare/items.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { coveredBy, type KeeperNotice, MOST_ABOUT } from "../../core/alerts/notices.ts";
import { plural, printable } from "../../core/text.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { Keeper } from "../admin-ports.ts";
import type { EnforcerStatus } from "../enforce/enforce.ts";
import type { Clock, Notices } from "../ports.ts";
import { headlineOf, type Needs, needsYou } from "./needs-you.ts";

export type HealthParts = Readonly<{
  keeper: Keeper;
  notices: Notices;
  clock: Clock;
  startedAt: number;
  /** When the keeper last answered; updated here. */
  keeperSeen: { at: number };
  firewall: () => EnforcerStatus;
  /** How many events are in the database. */
  events: () => number;
  /** What else needs the owner. Never rejects. */
  needs: () => Promise<Omit<Needs, "notices">>;
}>;

/** Components without which mail stops. Rspamd signs users' mail and verifies incoming mail. Any other only degrades the server. */
const VITAL: readonly string[] = ["postfix", "dovecot", "rspamd"];
/**
 * The keeper's other notices that mean that mail or sign-ins may stop. Without settings, it does not notice a service that hangs. Only the
 * guard knows if a disk with little space is too full for mail.
 */
const STOPPING_NOTICES: readonly KeeperNotice[] = ["isolated", "certificate_expired", "settings_unread", "disk_low"];
/** Notices listed while the guard is down. A full disk or a lock may be the cause. */
const LISTED_NOTICES: readonly KeeperNotice[] = [
  ...STOPPING_NOTICES,
  "database_locked",
  "mail_unstored",
  "relay_refuses",
];

/** After this long without an answer from the keeper, the server counts as down, because no one knows whether its services work. */
const UNWATCHED_MS = 2 * MINUTE_MS;

/** Bounds of the list of failures while the guard is down. The remedy for a lock comes after three programs and their arguments. */
const FAILING = { most: 10, characters: 1_000 } as const;

export async function healthOf(parts: HealthParts): Promise<Health> {
  const { keeper, notices, clock, startedAt, keeperSeen, needs } = parts;
  const guard: ComponentHealth = { name: "guard", status: "ok", detail: "deciding" };
  const [reply, others] = await Promise.all([keeper.ask({ verb: "status" }), needs()]);
  const now = clock.now();
  // It lies in the future after the clock was set back.
  keeperSeen.at = reply.ok ? now : Math.min(keeperSeen.at, now);
  const isUnwatched = now - keeperSeen.at >= UNWATCHED_MS;
  const components = [guard, databaseHealth(parts), firewallHealth(parts.firewall()), ...services(reply)];
  const listed = notices.list();
  const covered = coveredBy(listed);
  const raised = listed
    .filter(({ code }) => !covered.includes(code))
    .map((one) => (one.about === undefined ? one : { ...one, about: one.about.slice(-MOST_ABOUT) }));
  const health: Omit<Health, "headline"> = {
    status: isUnwatched ? "down" : overall(components, raised.length > 0),
    components,
    notices: raised,
    needsYou: needsYou({ notices: raised, ...others }),
    uptimeSeconds: Math.floor((now - startedAt) / 1000),
  };
  return { ...health, headline: headlineOf(health) };
}

/** What the keeper says about the rest of the server while the guard is down. `mailFlows`: mail is accepted, and users can sign in. */
export function withoutGuard(reply: KeeperReply): Readonly<{ mailFlows: boolean; failing: readonly string[] }> {
  const components = services(reply);
  const bad = components.filter(({ status }) => status !== "ok");
  const named = (reply.ok ? (reply.troubles ?? []) : []).filter(({ code }) => LISTED_NOTICES.includes(code));
  const isThere = (name: string): boolean => components.some((one) => one.name === name);
  const isStopped =
    named.some(({ code }) => STOPPING_NOTICES.includes(code)) || bad.some(({ name }) => VITAL.includes(name));
  return {
    mailFlows: ["postfix", "dovecot"].every(isThere) && !isStopped,
    failing: [...bad, ...named.map(({ code, detail }) => ({ name: code, detail }))]
      .slice(0, FAILING.most)
      .map(({ name, detail }) => `${name}: ${printable(detail, FAILING.characters)}`),
  };
}

/** Shares one answer among concurrent questions: each would take one of the keeper's few connections, and the web may ask at any rate. */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () =>
    (asked ??= ask().finally(() => {
      asked = null;
    }));
}

function firewallHealth({ state, reason }: EnforcerStatus): ComponentHealth {
  const name = "firewall";
  if (state === "enforcing") return { name, status: "ok", detail: "bans are in the kernel" };
  if (state === "off") return { name, status: "ok", detail: "off: firewall.enabled = false" };
  return { name, status: "degraded", detail: reason ?? state };
}

function databaseHealth({ notices, events }: HealthParts): ComponentHealth {
  const raised = notices.list().find(({ code }) => code === "database_unwritable" || code === "database_unflushed");
  return raised === undefined
    ? { name: "database", status: "ok", detail: plural(events(), "event") }
    : { name: "database", status: "degraded", detail: raised.detail };
}

export function services(reply: KeeperReply): readonly ComponentHealth[] {
  if (!reply.ok) return [{ name: "keeper", status: "down", detail: reply.reason }];
  const supervised = (reply.services ?? [])
    .filter(({ name }) => name !== "guard" && name !== "keeper")
    .map(({ name, up, pid, trouble, silence }): ComponentHealth => {
      if (trouble !== undefined) return { name, status: "down", detail: trouble };
      // A service whose process exists counts as running only if it works.
      if (up && silence !== undefined)
        return { name, status: silence.isBeyondHelp ? "down" : "degraded", detail: silence.says };
      const detail = up ? `running${pid === null ? "" : `, pid ${pid}`}` : "not running";
      return { name, status: up ? "ok" : "down", detail };
    });
  return [{ name: "keeper", status: "ok", detail: "answering" }, ...supervised];
}

function overall(components: readonly ComponentHealth[], noticed: boolean): Health["status"] {
  if (components.some(({ name, status }) => status === "down" && VITAL.includes(name))) return "down";
  return noticed || components.some(({ status }) => status !== "ok") ? "degraded" : "ok";
}
