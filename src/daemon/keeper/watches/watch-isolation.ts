import type { Isolation } from "../../../core/incident/isolation.ts";
import type { Outcome } from "../../../engine/ports.ts";
import type { KeeperTrouble } from "../../../wire/control/keeper.ts";

/** The wanted isolation, and what enforces it. */
export type IsolationParts = Readonly<{
  wanted: () => Isolation | null;
  isShut: () => Promise<boolean>;
  shut: (isolation: Isolation) => Promise<Outcome>;
  /** Removes the table. */
  open: () => Promise<Outcome>;
}>;

/**
 * Keeps an isolated server isolated, whatever removes the firewall's table, and reports the isolation. Removes the table of an isolation that
 * has ended, since an interrupted lift leaves one.
 */
export class IsolationWatch {
  readonly #parts: IsolationParts;
  #isolation: Isolation | null = null;
  #failure: string | null = null;
  /** Whether a table may still exist although the server is not isolated. */
  #mayBeLeft = true;

  constructor(parts: IsolationParts) {
    this.#parts = parts;
  }

  async look(): Promise<void> {
    const { wanted, isShut, shut } = this.#parts;
    this.#isolation = wanted();
    this.#failure = null;
    if (this.#isolation === null) return this.#openWhatIsLeft();
    this.#mayBeLeft = true;
    if (await isShut()) return;
    // It may have been lifted since, which would explain the missing table.
    this.#isolation = wanted();
    if (this.#isolation === null) return;
    const made = await shut(this.#isolation);
    if (!made.ok) this.#failure = made.reason;
  }

  async #openWhatIsLeft(): Promise<void> {
    const { wanted, isShut, open } = this.#parts;
    if (!this.#mayBeLeft) return;
    this.#mayBeLeft = await isShut();
    // The server may have been isolated since.
    if (this.#mayBeLeft && wanted() === null) await open();
  }

  troubles(): readonly KeeperTrouble[] {
    if (this.#isolation === null) return [];
    const { since, incident, shut } = this.#isolation;
    const detail = `since ${since.slice(0, 16).replace("T", " ")} UTC, for ${incident}; still closed: ${shut.join(", ")}`;
    return [
      { code: "isolated", detail },
      ...(this.#failure === null ? [] : [{ code: "isolation_broken", detail: this.#failure } as const]),
    ];
  }
}
