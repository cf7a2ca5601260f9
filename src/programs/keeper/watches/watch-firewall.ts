import type { KeeperReply, KeeperTrouble } from "../../../admin/declare/keeper.ts";
import {
  beyond,
  type Door,
  isNothing,
  merged,
  type Opening,
  type StrictState,
  UNCONFIRMED,
} from "../../../core/firewall/strict.ts";
import type { Isolation } from "../../../core/incident/incident.ts";
import { oneAfterAnother } from "../../../core/one-after-another.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { Outcome } from "../../../guard/ports.ts";
import { requiredOpening } from "../../../host/firewall/opening.ts";
import { parseStrict } from "../../../host/firewall/strict-rules.ts";
import { portsOf } from "../../../host/running/ports.ts";
import { isStrict } from "../../../settings/ports.ts";
import type { Settings } from "../../../settings/schema.ts";

/** The external parts of the strict firewall. */
type FirewallParts = Readonly<{
  read: () => StrictState;
  keep: (state: StrictState) => void;
  /** The table as the kernel prints it; empty if there is none, null if it cannot be read. */
  list: () => Promise<string | null>;
  load: (confirmed: Opening | null, trial: Readonly<{ opening: Opening; lastsS: number }> | null) => Promise<Outcome>;
  /** Where SSH is reached. */
  ssh: (session: number | null) => Promise<readonly Door[]>;
  /** Established connections to other ports than these; null if not all of them can be listed. */
  connections: (except: readonly number[]) => Promise<readonly string[] | null>;
}>;

/** Checks between two searches for SSH, each of which runs three programs. */
const LOOKS_PER_SEARCH = 12;

/**
 * Keeps the strict firewall as it was confirmed, whatever program changes it, plus new needs of settings and SSH. A
 * confirmed opening is closed only by a trial. While a trial runs, only the kernel ends it: the table is not touched.
 */
export class FirewallWatch {
  readonly #parts: FirewallParts;
  readonly #settings: () => Settings | null;
  /** As the kernel printed it after the last load, and what it was loaded for. */
  #made: Readonly<{ listing: string; opening: Opening }> | null = null;
  #ssh: readonly Door[] = [];
  #looks = 0;
  #troubles: readonly KeeperTrouble[] = [];
  #wasUnconfirmed = false;
  /** Whether a table may still exist although the firewall is not strict. */
  #mayBeLeft = true;
  /** A check does not end a trial that starts at the same time. */
  readonly #inTurn = oneAfterAnother();

  constructor(parts: FirewallParts, settings: () => Settings | null) {
    this.#parts = parts;
    this.#settings = settings;
  }

  troubles(): readonly KeeperTrouble[] {
    return this.#troubles;
  }

  look(): Promise<void> {
    return this.#inTurn(() => this.#look());
  }

  /** Applies the settings until the kernel rolls them back. `session`: the port of the caller's SSH session. */
  begin(session: number | null): Promise<KeeperReply> {
    return this.#inTurn(() => this.#begin(session));
  }

  /** Keeps the trial's opening. */
  confirm(): Promise<KeeperReply> {
    return this.#inTurn(async () => {
      const { confirmed, trial } = this.#parts.read();
      if (trial === null || !(await this.#isTried())) return NOTHING_WAITS;
      // The file first: after an interruption here the next check loads it.
      this.#parts.keep({ confirmed: trial.opening, trial: null });
      const loaded = await this.#load(trial.opening);
      if (loaded.ok) return { ok: true, detail: "" };
      this.#parts.keep({ confirmed, trial });
      return loaded;
    });
  }

  /** Restores what was in force before the trial. */
  takeBack(): Promise<KeeperReply> {
    return this.#inTurn(async () => {
      const { confirmed } = this.#parts.read();
      if (!(await this.#isTried())) return NOTHING_WAITS;
      const loaded = await this.#load(confirmed);
      if (!loaded.ok) return loaded;
      this.#parts.keep({ confirmed, trial: null });
      return { ok: true, detail: "" };
    });
  }

  async #look(): Promise<void> {
    const settings = this.#settings();
    if (settings === null) return;
    if (!isStrict(settings)) return this.#openAll();
    this.#mayBeLeft = true;
    const listing = await this.#parts.list();
    if (listing === null) return this.#broken("the firewall cannot be read");
    const found = parseStrict(listing);
    if (typeof found?.waitsS === "number") return;
    const { confirmed, trial } = this.#parts.read();
    if (trial !== null) this.#parts.keep({ confirmed, trial: null });
    if (confirmed === null) {
      // Not at the first check: after a changed setting the trial starts at once.
      this.#troubles = this.#wasUnconfirmed ? [{ code: "firewall_unconfirmed", detail: "" }] : [];
      this.#wasUnconfirmed = true;
      if (found !== null) await this.#load(null);
      return;
    }
    this.#wasUnconfirmed = false;
    if (this.#looks % LOOKS_PER_SEARCH === 0) this.#ssh = await this.#parts.ssh(null);
    this.#looks += 1;
    await this.#hold(merged(confirmed, requiredOpening(settings, this.#ssh)), { confirmed, listing });
  }

  async #hold(
    opening: Opening,
    { confirmed, listing }: Readonly<{ confirmed: Opening; listing: string }>,
  ): Promise<void> {
    if (listing !== this.#made?.listing || !isSame(opening, this.#made.opening)) {
      const loaded = await this.#load(opening);
      if (!loaded.ok) return this.#broken(loaded.reason);
      if (!isSame(opening, confirmed)) this.#parts.keep({ confirmed: opening, trial: null });
    }
    this.#troubles = [];
  }

  /** The firewall is not strict. If nft(8) cannot run, there is no table. */
  async #openAll(): Promise<void> {
    this.#wasUnconfirmed = false;
    this.#troubles = [];
    if (!this.#mayBeLeft) return;
    const listing = await this.#parts.list();
    if (listing !== null && listing !== "") await this.#load(null);
    this.#parts.keep(UNCONFIRMED);
    this.#mayBeLeft = false;
  }

  async #begin(session: number | null): Promise<KeeperReply> {
    const settings = this.#settings();
    if (settings === null) return { ok: false, reason: "the settings cannot be read" };
    if (!isStrict(settings)) return { ok: false, reason: "firewall.mode is not strict" };
    const { confirmed } = this.#parts.read();
    const opening = requiredOpening(settings, await this.#parts.ssh(session));
    if (confirmed !== null && isNothing(beyond(confirmed, opening))) {
      const loaded = await this.#load(opening);
      if (loaded.ok) this.#parts.keep({ confirmed: opening, trial: null });
      return loaded.ok ? { ok: true, detail: "No open port is closed, so no confirmation is needed." } : loaded;
    }
    const lastsS = Math.ceil(settings["firewall.confirm_within"] / SECOND_MS);
    const connections = await this.#parts.connections(portsOf(settings).map(({ port }) => port));
    // Otherwise a connection that is open already could confirm it.
    if (connections === null) return { ok: false, reason: "ss(8) does not show which connections are open" };
    this.#parts.keep({ confirmed, trial: { opening, connections } });
    const tried = await this.#parts.load(confirmed, { opening, lastsS });
    if (!tried.ok) {
      this.#parts.keep({ confirmed, trial: null });
      return tried;
    }
    this.#troubles = [];
    this.#mayBeLeft = true;
    return { ok: true, detail: "", count: lastsS };
  }

  async #isTried(): Promise<boolean> {
    return typeof parseStrict((await this.#parts.list()) ?? "")?.waitsS === "number";
  }

  /** Null: everything is open. */
  async #load(opening: Opening | null): Promise<Outcome> {
    const loaded = await this.#parts.load(opening, null);
    this.#made = null;
    if (!loaded.ok || opening === null) return loaded;
    // Another program may have changed it already: then the next check creates it again.
    const listing = (await this.#parts.list()) ?? "";
    const found = parseStrict(listing);
    const isWhole = found?.faults.length === 0 && found.opening !== null && isSame(found.opening, opening);
    if (isWhole) this.#made = { opening, listing };
    return loaded;
  }

  #broken(detail: string): void {
    this.#troubles = [{ code: "firewall_not_strict", detail }];
  }
}

const NOTHING_WAITS = {
  ok: false,
  reason: "nothing waits for a confirmation: it was undone, or never started",
} as const;

function isSame(a: Opening, b: Opening): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The recorded isolation, and what enforces it. */
type IsolationParts = Readonly<{
  recorded: () => Isolation | null;
  isShut: () => Promise<boolean>;
  shut: (isolation: Isolation) => Promise<Outcome>;
  /** Removes the table. */
  open: () => Promise<Outcome>;
}>;

/**
 * Keeps an isolated server isolated, whatever removes the firewall's table, and reports the isolation. Removes the table of an isolation that
 * has ended, since an interrupted lift leaves one.
 */
export function createIsolationWatch({ recorded, isShut, shut, open }: IsolationParts) {
  let isolation: Isolation | null = null;
  let failure: string | null = null;
  /** Whether a table may still exist although the server is not isolated. */
  let mayBeLeft = true;

  async function look(): Promise<void> {
    isolation = recorded();
    failure = null;
    if (isolation === null) return openWhatIsLeft();
    mayBeLeft = true;
    if (await isShut()) return;
    // It may have been lifted since, which would explain the missing table.
    isolation = recorded();
    if (isolation === null) return;
    const made = await shut(isolation);
    if (!made.ok) failure = made.reason;
  }

  async function openWhatIsLeft(): Promise<void> {
    if (!mayBeLeft) return;
    mayBeLeft = await isShut();
    // The server may have been isolated since.
    if (mayBeLeft && recorded() === null) await open();
  }

  function troubles(): readonly KeeperTrouble[] {
    if (isolation === null) return [];
    const { since, incident } = isolation;
    const detail = `since ${since.slice(0, 16).replace("T", " ")} UTC, for ${incident}; still closed: ${isolation.shut.join(", ")}`;
    return [
      { code: "isolated", detail },
      ...(failure === null ? [] : [{ code: "isolation_broken", detail: failure } as const]),
    ];
  }

  return { look, troubles };
}
