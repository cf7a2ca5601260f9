import { ReportSpool } from "../adapters/fail2ban/report-spool.ts";
import type { Ban } from "../core/decide/decision.ts";
import { messageOf } from "../core/error.ts";
import type { JailReported } from "../core/events/report.ts";
import type { Engine } from "../engine/engine.ts";
import type { Log } from "../engine/ports.ts";
import { parseJailReport } from "../wire/fail2ban/jail-report.ts";

export type ReportTakerParts = Readonly<{
  directory: string;
  engine: Engine;
  log: Log;
  /** Called for each ban that a report causes. Must not throw. */
  banned: (ban: Ban, report: JailReported) => void;
}>;

const LOOK_MS = 200;
const AT_ONCE = 200;

/**
 * Takes Fail2ban's reports, including those from while the guard was down. A report is deleted once its decision is
 * committed. If a kill in between makes it arrive twice, the second one finds its offences decided on already.
 */
export class ReportTaker {
  readonly #parts: ReportTakerParts;
  readonly #spool: ReportSpool;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #failing = false;

  constructor(parts: ReportTakerParts) {
    this.#parts = parts;
    this.#spool = new ReportSpool(parts.directory);
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    void this.look();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
  }

  /** Takes the waiting reports. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#takeAll().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #takeAll(): Promise<void> {
    try {
      // While the database cannot be written, the next report would fail as well.
      for (const name of this.#spool.waiting(AT_ONCE)) if (!(await this.#take(name))) break;
      this.#failing = false;
    } catch (error) {
      if (this.#failing) return;
      this.#failing = true;
      const why = messageOf(error);
      this.#parts.log.warn("Reports of Fail2ban cannot be taken; it is tried again.", { why });
    }
  }

  /** Whether it was handled; false leaves it for later. */
  async #take(name: string): Promise<boolean> {
    const found = this.#spool.read(name);
    const read = found.ok ? parseJailReport(found.text) : found;
    if (read.ok) {
      const { reason, changes } = await this.#parts.engine.ask(read.report);
      if (reason === "not_recorded") return false;
      for (const change of changes)
        if (change.type === "BAN" && change.ban.simulated !== true) this.#parts.banned(change.ban, read.report);
    } else this.#parts.log.warn("A report of Fail2ban was dropped.", { name, why: read.reason });
    this.#spool.remove(name);
    return true;
  }
}
