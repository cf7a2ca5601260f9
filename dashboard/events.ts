import type { EventItem } from "../src/wire/control/items.ts";
import { byId, h, table } from "./element.ts";
import { type Actions, addressButton } from "./overview.ts";
import { clock } from "./time.ts";

const SHOWN = 200;

/** The newest events: those that the page began with, then those of the live stream. A burst is drawn once a frame. */
export class EventList {
  readonly #actions: Actions;
  #items: readonly EventItem[] = [];
  #scheduled = false;

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  get newestId(): number {
    return this.#items[0]?.id ?? 0;
  }

  add(items: readonly EventItem[]): void {
    const fresh = items.filter(({ id }) => !this.#items.some((shown) => shown.id === id));
    if (fresh.length === 0 && this.#items.length > 0) return;
    this.#items = [...fresh, ...this.#items].toSorted((a, b) => b.id - a.id).slice(0, SHOWN);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      byId("events", HTMLElement).replaceChildren(eventsTable(this.#items, this.#actions));
    });
  }
}

export function eventsTable(items: readonly EventItem[], actions: Actions): HTMLElement {
  const rows = items.map((event) => [
    clock(event.at),
    h("span", { class: `type ${toneOf(event.type)}` }, event.type.replaceAll("_", " ").toLowerCase()),
    event.ip === null ? "" : addressButton(event.ip, event.ip, actions),
    h("span", { class: "reason" }, event.details, event.account === null ? null : h("small", {}, ` ${event.account}`)),
  ]);
  return table(["Time", "Event", "Address", "Details"], rows, "Nothing has happened yet.");
}

function toneOf(type: string): "bad" | "warn" | "good" | "plain" {
  if (type === "BAN" || type.endsWith("_REFUSED") || type.endsWith("_BLOCKED")) return "bad";
  if (type.endsWith("_FAILED") || type.endsWith("_DEFERRED")) return "warn";
  if (type.endsWith("_SUCCEEDED") || type.endsWith("_ACCEPTED")) return "good";
  return "plain";
}
