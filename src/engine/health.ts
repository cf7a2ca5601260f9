import type { KeeperReply } from "../wire/control.ts";
import type { ComponentHealth, Health } from "../wire/items.ts";
import type { Keeper } from "./admin-ports.ts";
import type { Clock, Notices } from "./ports.ts";

export type HealthParts = Readonly<{
  keeper: Keeper;
  notices: Notices;
  clock: Clock;
  startedAt: number;
  firewall: () => ComponentHealth;
  database: () => ComponentHealth;
}>;

/** Components whose absence stops mail; without any of the others the server is merely degraded. */
const VITAL: readonly string[] = ["postfix", "dovecot"];

export async function healthOf(parts: HealthParts): Promise<Health> {
  const { keeper, notices, clock, startedAt } = parts;
  const guard: ComponentHealth = { name: "guard", status: "ok", detail: "deciding" };
  const reply = await keeper.ask({ verb: "status" });
  if (reply.ok) notices.clear("keeper_unreachable");
  const components = [guard, parts.database(), parts.firewall(), ...services(reply)];
  const raised = notices.list();
  return {
    status: overall(components, raised.length > 0),
    components,
    notices: raised,
    uptimeSeconds: Math.floor((clock.now() - startedAt) / 1000),
  };
}

function services(reply: KeeperReply): readonly ComponentHealth[] {
  if (!reply.ok) return [{ name: "keeper", status: "down", detail: reply.reason }];
  const supervised = (reply.services ?? [])
    .filter(({ name }) => name !== "guard" && name !== "keeper")
    .map(({ name, up, pid }): ComponentHealth => {
      const detail = up ? `running${pid === null ? "" : `, pid ${pid}`}` : "not running";
      return { name, status: up ? "ok" : "down", detail };
    });
  return [{ name: "keeper", status: "ok", detail: "answering" }, ...supervised];
}

function overall(components: readonly ComponentHealth[], noticed: boolean): Health["status"] {
  if (components.some(({ name, status }) => status === "down" && VITAL.includes(name))) return "down";
  return noticed || components.some(({ status }) => status !== "ok") ? "degraded" : "ok";
}
