import { existsSync } from "node:fs";
import { join } from "node:path";
import { printable } from "../../core/text.ts";
import { SERVICES, type ServiceName } from "../../render/runit.ts";
import type { Layout } from "../../settings/layout.ts";
import { lastWord } from "../set-up/last-words.ts";
import { pidOf } from "../set-up/supervise.ts";
import { supervised } from "../set-up/supervised.ts";

/** Looks, one a second, that are remembered, and starts and ends among them that are too many. A restart makes two. */
const REMEMBERED = 12;
const MANY = 5;
const FEW = 1;
const WORD_CHARACTERS = 300;

type Seen = { change: string; changed: boolean[]; isEnding: boolean };

/** Finds services that keep ending. At any single moment such a service may run. */
export class ServiceWatch {
  readonly #layout: Layout;
  readonly #seen = new Map<ServiceName, Seen>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Call it once a second. */
  look(): void {
    for (const service of SERVICES) {
      const now = supervised(this.#layout.services, service);
      if (now === null || now.isStopped) this.#seen.delete(service);
      else this.#note(service, now.change);
    }
  }

  /** Those that the settings want. */
  states() {
    return SERVICES.filter((name) => existsSync(join(this.#layout.services, name))).map((name) => {
      const pid = pidOf(this.#layout.services, name);
      const trouble = this.troubleOf(name);
      return { name, up: pid !== null, pid, ...(trouble === null ? {} : { trouble }) };
    });
  }

  /** In one sentence; null: it runs, or another reason than an end keeps it down. */
  troubleOf(service: ServiceName): string | null {
    if (this.#seen.get(service)?.isEnding !== true) return null;
    const word = lastWord(this.#layout, service);
    return `it keeps ending${word === null ? "" : `; its last words: ${printable(word, WORD_CHARACTERS)}`}`;
  }

  #note(service: ServiceName, change: string): void {
    const before = this.#seen.get(service);
    if (before === undefined) {
      this.#seen.set(service, { change, changed: [], isEnding: false });
      return;
    }
    before.changed = [...before.changed, change !== before.change].slice(-REMEMBERED);
    before.change = change;
    const changes = before.changed.filter(Boolean).length;
    before.isEnding = changes >= (before.isEnding ? FEW + 1 : MANY);
  }
}
