import type { Health } from "../../wire/control/items.ts";
import { PROGRAM } from "../call.ts";
import { type Finding, ok, some, warning, wrong } from "./finding.ts";
import type { Check } from "./server.ts";

export function judgeComponents(health: Health | null): Finding {
  if (health === null) return wrong("The guard does not answer.", `${PROGRAM} status`);
  const bad = health.components.filter(({ status }) => status !== "ok");
  const said = some(bad.map(({ name, status, detail }) => `${name} is ${status} (${detail})`));
  if (bad.some(({ status }) => status === "down")) return wrong(`${said}.`, `${PROGRAM} status`);
  if (bad.length > 0) return warning(`${said}.`, `${PROGRAM} status`);
  return ok(`All work: ${health.components.map(({ name }) => name).join(", ")}.`);
}

export function judgeNotices(health: Health | null): Finding {
  if (health === null) return wrong("The guard does not answer.", `${PROGRAM} status`);
  const [first] = health.notices;
  if (first === undefined) return ok("The guard reports no problem.");
  return warning(some(health.notices.map(({ code, says }) => `${code}: ${says}`)), first.next);
}

export const components = [
  {
    name: "services",
    does: "Asks the guard whether each component answers the keeper's probes.",
    look: async ({ health }) => judgeComponents(await health()),
  },
  {
    name: "notices",
    does: "Asks the guard for lasting problems.",
    look: async ({ health }) => judgeNotices(await health()),
  },
] as const satisfies readonly Check[];
