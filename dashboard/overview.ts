import type { Health, Stats, TopIp } from "../src/wire/control/items.ts";
import { byId, h, table } from "./element.ts";
import { uptime } from "./time.ts";

/** What a click on the page asks for. */
export type Actions = Readonly<{
  why: (ip: string) => void;
  ban: (ip: string) => void;
  unban: (prefix: string) => void;
}>;

export function showOverview(stats: Stats, actions: Actions): void {
  showFigures(stats);
  showHealth(stats.health);
  byId("top", HTMLElement).replaceChildren(topTable(stats.topIps, actions));
}

function showFigures({ bans, counts }: Stats): void {
  const sum = (...types: readonly string[]): number => types.reduce((total, type) => total + (counts[type] ?? 0), 0);
  const figures: readonly (readonly [string, number, string])[] = [
    ["Active bans", bans.active, "right now"],
    ["Mails taken", sum("EMAIL_ACCEPTED"), "24 hours"],
    ["Mails refused", sum("EMAIL_BLOCKED", "EMAIL_DEFERRED"), "24 hours"],
    ["Failed logins", sum("LOGIN_FAILED", "LOGIN_REFUSED"), "24 hours"],
    ["Events", sum(...Object.keys(counts)), "24 hours"],
  ];
  byId("figures", HTMLElement).replaceChildren(
    ...figures.map(([name, value, span]) =>
      h(
        "div",
        { class: "card figure" },
        h("span", { class: "name" }, name),
        h("strong", {}, value.toLocaleString("en")),
        h("span", { class: "span" }, span),
      ),
    ),
  );
}

function showHealth(health: Health): void {
  const overall = byId("overall", HTMLElement);
  overall.className = `pill ${health.status}`;
  overall.textContent = { ok: "All is well", degraded: "Degraded", down: "Down" }[health.status];
  byId("health", HTMLElement).replaceChildren(
    ...health.components.map(({ name, status, detail }) =>
      h(
        "li",
        {},
        h("span", { class: `dot ${status}`, role: "img", "aria-label": status }),
        h("span", { class: "name" }, name),
        h("span", { class: "detail" }, detail),
      ),
    ),
    h("li", { class: "foot" }, `Guard up for ${uptime(health.uptimeSeconds)}`),
  );
  const notices = byId("notices", HTMLElement);
  notices.hidden = health.notices.length === 0;
  notices.replaceChildren(
    ...health.notices.map(({ says, detail, next }) =>
      h("div", { class: "notice" }, h("strong", {}, says), ` ${detail} `, h("span", { class: "next" }, next)),
    ),
  );
}

function topTable(top: readonly TopIp[], actions: Actions): HTMLElement {
  const rows = top.map(({ ip, mails, connections, rejected }) => [
    addressButton(ip, ip, actions),
    String(connections),
    String(mails),
    String(rejected),
  ]);
  return table(["Address", "Conn.", "Mails", "Refused"], rows, "Nobody came by.");
}

export function addressButton(text: string, ip: string, actions: Actions): HTMLElement {
  return h("button", { type: "button", class: "address", title: `Why ${ip}?`, click: () => actions.why(ip) }, text);
}

/** A single address is shown without its length. */
export function shortPrefix(prefix: string): string {
  return prefix.replace(prefix.includes(":") ? /\/128$/ : /\/32$/, "");
}
