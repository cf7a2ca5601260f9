import type { BanItem, Stats } from "../src/wire/control/items.ts";
import type { Page } from "../src/wire/control/paging.ts";
import { get } from "./api.ts";
import { byId, h, table } from "./element.ts";
import { type Actions, addressButton, shortPrefix } from "./overview.ts";
import { when } from "./time.ts";

/** The bans in force, a page at a time: the newest come with the overview, older ones are asked for. */
export class BanPages {
  readonly #actions: Actions;
  readonly #turned: () => void;
  /** The cursors of the pages from the second one to that which is shown. */
  #trail: readonly string[] = [];

  /** `turned`: the reader wants another page; it is shown with the next overview. */
  constructor(actions: Actions, turned: () => void) {
    this.#actions = actions;
    this.#turned = turned;
  }

  async show(newest: Stats["bans"]): Promise<void> {
    const trail = this.#trail;
    const cursor = trail.at(-1);
    const page = cursor === undefined ? newest : await get<Page<BanItem>>(`/api/v1/bans?cursor=${cursor}`);
    // The reader turned the page meanwhile; that one is on its way.
    if (trail !== this.#trail) return;
    // Bans have ended, and the page is not there any more.
    if (page.items.length === 0 && cursor !== undefined) return this.#turn(this.#trail.slice(0, -1));
    byId("bans", HTMLElement).replaceChildren(bansTable(page.items, this.#actions));
    this.#showPlace(page, newest);
  }

  #showPlace({ items, next }: Page<BanItem>, newest: Stats["bans"]): void {
    const place = byId("bans-place", HTMLElement);
    place.hidden = next === null && this.#trail.length === 0;
    const before = this.#trail.length * newest.items.length;
    const shown = (value: number): string => value.toLocaleString("en");
    place.replaceChildren(
      h("span", {}, `${shown(before + 1)} to ${shown(before + items.length)} of ${shown(newest.active)}`),
      this.#button("Newer", this.#trail.length > 0 ? this.#trail.slice(0, -1) : null),
      this.#button("Older", next === null ? null : [...this.#trail, next]),
    );
  }

  /** Null: there is no such page. */
  #button(text: string, trail: readonly string[] | null): HTMLElement {
    const click = (): void => {
      if (trail !== null) this.#turn(trail);
    };
    return h("button", { type: "button", class: "small", disabled: trail === null, click }, text);
  }

  #turn(trail: readonly string[]): void {
    this.#trail = trail;
    this.#turned();
  }
}

function bansTable(bans: readonly BanItem[], actions: Actions): HTMLElement {
  const rows = bans.map((ban) => [
    addressButton(shortPrefix(ban.prefix), ban.ip, actions),
    h("span", { class: `badge ${ban.level}` }, ban.level),
    h("span", { class: "reason" }, ban.reason || "No reason given", h("small", {}, ` by ${ban.source}`)),
    ban.expiresAt === null ? "never" : when(ban.expiresAt),
    h(
      "button",
      { type: "button", class: "small", "aria-label": `Unban ${ban.prefix}`, click: () => actions.unban(ban.prefix) },
      "Unban",
    ),
  ]);
  return table(["Address", "Level", "Reason", "Ends", ""], rows, "No address is banned.");
}
