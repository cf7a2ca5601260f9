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
import { minute } from "../../../core/report/figures.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { Outcome } from "../../../guard/ports.ts";
import { applyIsolation, clearIsolation, isIsolationApplied, readIsolation } from "../../../host/firewall/isolation.ts";
import { openConnections, requiredOpening, sshDoors } from "../../../host/firewall/opening.ts";
import { keepStrict, listStrict, loadStrict, readStrict } from "../../../host/firewall/strict.ts";
import { parseStrict } from "../../../host/firewall/strict-rules.ts";
import { portsOf } from "../../../host/running/ports.ts";
import type { Layout } from "../../../settings/layout.ts";
import { isStrict } from "../../../settings/ports.ts";
import type { Settings } from "../../../settings/schema.ts";

/** The strict firewall of this server: its state, its table, and what would be cut off. */
export function strictFirewall(layout: Layout) {
  return {
    read: () => readStrict(layout),
    keep: (state: StrictState): void => keepStrict(layout, state),
    list: listStrict,
    load: loadStrict,
    ssh: (session: number | null, otherwise?: readonly Door[]) => sshDoors(session, otherwise),
    connections: openConnections,
  };
}

/** Checks between two searches for SSH, each of which runs three programs. */
const LOOKS_PER_SEARCH = 12;

/**
 * Keeps the strict firewall as it was confirmed, whatever program changes it, plus new needs of settings and SSH. A
 * confirmed opening is closed only by a trial. While a trial runs, only the kernel ends it: the table is not touched.
 */
export function createFirewallWatch(
  { read, keep, list, load, ssh, connections }: ReturnType<typeof strictFirewall>,
  settingsNow: () => Settings | null,
) {
  /** The table as the kernel printed it after the last load, and the opening for which it was loaded. */
  let made: Readonly<{ listing: string; opening: Opening }> | null = null;
  let lastSsh: readonly Door[] = [];
  let looks = 0;
  let found: readonly KeeperTrouble[] = [];
  let wasUnconfirmed = false;
  /** Whether a table may still exist although the firewall is not strict. */
  let mayBeLeft = true;
  /** A check does not end a trial that starts at the same time. */
  const inTurn = oneAfterAnother();

  async function confirm(): Promise<KeeperReply> {
    const { confirmed, trial } = read();
    if (trial === null || !(await isTried())) return NOTHING_WAITS;
    // The file first: after an interruption here the next check loads it.
    keep({ confirmed: trial.opening, trial: null });
    const loaded = await enforce(trial.opening);
    if (loaded.ok) return { ok: true, detail: "" };
    keep({ confirmed, trial });
    return loaded;
  }

  async function takeBack(): Promise<KeeperReply> {
    const { confirmed } = read();
    if (!(await isTried())) return NOTHING_WAITS;
    const loaded = await enforce(confirmed);
    if (!loaded.ok) return loaded;
    keep({ confirmed, trial: null });
    return { ok: true, detail: "" };
  }

  async function look(): Promise<void> {
    const settings = settingsNow();
    if (settings === null) return;
    if (!isStrict(settings)) return openAll();
    mayBeLeft = true;
    const listing = await list();
    if (listing === null) return broken("the firewall cannot be read");
    const table = parseStrict(listing);
    if (typeof table?.remainingS === "number") return;
    const { confirmed, trial } = read();
    if (trial !== null) keep({ confirmed, trial: null });
    if (confirmed === null) {
      // Not at the first check: after a changed setting the trial starts at once.
      found = wasUnconfirmed ? [{ code: "firewall_unconfirmed", detail: "" }] : [];
      wasUnconfirmed = true;
      if (table !== null) await enforce(null);
      return;
    }
    wasUnconfirmed = false;
    if (looks % LOOKS_PER_SEARCH === 0) lastSsh = await ssh(null, lastSsh);
    looks += 1;
    await hold(merged(confirmed, requiredOpening(settings, lastSsh)), confirmed, listing);
  }

  async function hold(opening: Opening, confirmed: Opening, listing: string): Promise<void> {
    if (listing !== made?.listing || !isSame(opening, made.opening)) {
      const loaded = await enforce(opening);
      if (!loaded.ok) return broken(loaded.reason);
      if (!isSame(opening, confirmed)) keep({ confirmed: opening, trial: null });
    }
    found = [];
  }

  /** Opens a firewall that is not strict. Throws if its table may be left: `config apply` reports it and the next check retries. */
  async function openAll(): Promise<void> {
    wasUnconfirmed = false;
    found = [];
    if (!mayBeLeft) return;
    const listing = await list();
    const opened: Outcome = listing === "" ? { ok: true } : await enforce(null);
    const { confirmed, trial } = read();
    // Where nft(8) cannot run, nothing was ever confirmed.
    if (!opened.ok && (listing ?? confirmed ?? trial) !== null)
      throw new Error(`the strict firewall could not be opened: ${opened.reason}`);
    keep(UNCONFIRMED);
    mayBeLeft = false;
  }

  async function begin(session: number | null): Promise<KeeperReply> {
    const settings = settingsNow();
    if (settings === null) return { ok: false, reason: "the settings cannot be read" };
    if (!isStrict(settings)) return { ok: false, reason: "firewall.mode is not strict" };
    const { confirmed } = read();
    const opening = requiredOpening(settings, await ssh(session));
    if (confirmed !== null && isNothing(beyond(confirmed, opening))) {
      const loaded = await enforce(opening);
      if (loaded.ok) keep({ confirmed: opening, trial: null });
      return loaded.ok ? { ok: true, detail: "No open port is closed, so no confirmation is needed." } : loaded;
    }
    const timeoutS = Math.ceil(settings["firewall.confirm_within"] / SECOND_MS);
    const open = await connections(portsOf(settings).map(({ port }) => port));
    // Without the list, a connection that is already open could confirm the trial.
    if (open === null) return { ok: false, reason: "ss(8) does not show which connections are open" };
    keep({ confirmed, trial: { opening, connections: open } });
    const tried = await load(confirmed, { opening, timeoutS });
    if (!tried.ok) {
      keep({ confirmed, trial: null });
      return tried;
    }
    found = [];
    mayBeLeft = true;
    return { ok: true, detail: "", count: timeoutS };
  }

  async function isTried(): Promise<boolean> {
    return typeof parseStrict((await list()) ?? "")?.remainingS === "number";
  }

  /** Null opens everything. */
  async function enforce(opening: Opening | null): Promise<Outcome> {
    const loaded = await load(opening, null);
    made = null;
    if (!loaded.ok || opening === null) return loaded;
    // Another program may have changed it already: then the next check creates it again.
    const listing = (await list()) ?? "";
    const table = parseStrict(listing);
    const isWhole = table?.faults.length === 0 && table.open !== null && isSame(table.open, opening);
    if (isWhole) made = { opening, listing };
    return loaded;
  }

  function broken(detail: string): void {
    found = [{ code: "firewall_not_strict", detail }];
  }

  return {
    troubles: () => found,
    look: () => inTurn(look),
    /** Applies the settings until the kernel rolls them back. `session`: the port of the caller's SSH session. */
    begin: (session: number | null) => inTurn(() => begin(session)),
    /** Keeps the trial's opening. */
    confirm: () => inTurn(confirm),
    /** Restores what was in force before the trial. */
    takeBack: () => inTurn(takeBack),
  };
}

const NOTHING_WAITS = {
  ok: false,
  reason: "nothing is waiting for a confirmation: it was undone, or never started",
} as const;

function isSame(a: Opening, b: Opening): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The recorded isolation, and what applies it. */
export function isolationOf(layout: Layout, settings: () => Settings | null) {
  return {
    recorded: () => readIsolation(layout),
    isApplied: isIsolationApplied,
    apply: async (isolation: Isolation): Promise<Outcome> => {
      const inForce = settings();
      return inForce === null
        ? { ok: false, reason: "the settings cannot be read" }
        : applyIsolation(isolation, inForce);
    },
    clear: clearIsolation,
  };
}

/**
 * Keeps an isolated server isolated, whatever removes its table, and reports the isolation. Removes the table of an isolation that has ended,
 * since an interrupted lift leaves one.
 */
export function createIsolationWatch({ recorded, isApplied, apply, clear }: ReturnType<typeof isolationOf>) {
  let isolation: Isolation | null = null;
  let failure: string | null = null;
  /** Whether a table may still exist although the server is not isolated. */
  let mayBeLeft = true;

  async function look(): Promise<void> {
    isolation = recorded();
    failure = null;
    if (isolation === null) return removeWhatIsLeft();
    mayBeLeft = true;
    if (await isApplied()) return;
    // It may have been lifted since, which would explain the missing table.
    isolation = recorded();
    if (isolation === null) return;
    const made = await apply(isolation);
    if (!made.ok) failure = made.reason;
  }

  async function removeWhatIsLeft(): Promise<void> {
    if (!mayBeLeft) return;
    mayBeLeft = await isApplied();
    // The server may have been isolated since.
    if (mayBeLeft && recorded() === null) await clear();
  }

  function troubles(): readonly KeeperTrouble[] {
    if (isolation === null) return [];
    const { since, incident, shut } = isolation;
    const detail = `since ${minute(since)} (incident ${incident}); still closed: ${shut.join(", ")}`;
    return [
      { code: "isolated", detail },
      ...(failure === null ? [] : [{ code: "isolation_broken", detail: failure } as const]),
    ];
  }

  return { look, troubles };
}
