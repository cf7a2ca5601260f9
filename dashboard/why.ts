import type { AddressAnswer } from "../src/wire/control/items.ts";
import { byId, h } from "./element.ts";
import { eventsTable } from "./events.ts";
import type { Actions } from "./overview.ts";
import { when } from "./time.ts";

/** Everything known of one address, in a dialog. */
export function showWhy(ip: string, report: AddressAnswer, actions: Actions): void {
  const { ban, allowed, protection, protectionUnknown, offencesInMemory, knownAccounts, totals, events } = report;
  const dialog = byId("why", HTMLDialogElement);
  const act = (run: () => void) => () => {
    dialog.close();
    run();
  };
  byId("why-title", HTMLElement).textContent = ip;
  byId("why-body", HTMLElement).replaceChildren(
    ban === null
      ? h("p", {}, "It is not banned.")
      : h(
          "p",
          {},
          h("span", { class: `badge ${ban.level}` }, ban.level),
          ` ${ban.reason}. `,
          ...(ban.expiresAt === null ? ["It does not end by itself."] : ["Ends ", when(ban.expiresAt), "."]),
        ),
    h(
      "p",
      { class: "facts" },
      [
        `${offencesInMemory} ${offencesInMemory === 1 ? "offence" : "offences"} in memory`,
        `${totals.pastBans} past ${totals.pastBans === 1 ? "ban" : "bans"}`,
        ...(protection === null || allowed !== null ? [] : [`protected (${protection})`]),
        ...(protectionUnknown ? ["whether anything protects it is not known: the guard does not answer"] : []),
        ...(allowed === null ? [] : [`on the allow list${allowed.note === "" ? "" : ` (${allowed.note})`}`]),
        ...(knownAccounts.length === 0 ? [] : [`${knownAccounts.join(", ")} signed in from here`]),
      ].join(" · "),
    ),
    h(
      "p",
      {},
      ban === null
        ? h("button", { type: "button", class: "danger", click: act(() => actions.ban(ip)) }, "Ban it")
        : h("button", { type: "button", click: act(() => actions.unban(ban.prefix)) }, "Unban it"),
    ),
    h("div", { class: "scroll tall" }, eventsTable(events, { ...actions, why: () => {} })),
  );
  if (!dialog.open) dialog.showModal();
}
