import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import { messageOf } from "../../core/error.ts";
import { HOUR_MS } from "../../core/time.ts";
import { type Failure, Job, withUnnoted } from "../job.ts";
import { changeMailRecord, duePeriod, type MailRecord, type MailRules, readMailRecord, withPeriod } from "./records.ts";

/** A report takes seconds. */
const LIMIT_MS = HOUR_MS;

/** Mails the regular report. */
export class ReportJob extends Job<MailRules> {
  /** In memory, because the disk may not be able to store how a report ended. */
  #unnoted: Failure | null = null;

  protected start(rules: MailRules, now: number): Promise<void> | null {
    const record = this.#record();
    const due = duePeriod(record, rules, now);
    if (due?.isNew !== true) return due && this.#make(due.period, now);
    const schedule = rules["report.mail"];
    changeMailRecord(this.layout, { schedule, done: [...withPeriod(record, due.period)], failure: null });
    return null;
  }

  troubles(): readonly KeeperTrouble[] {
    if ((this.rules()?.["report.mail"] ?? "off") === "off") return [];
    const { failure } = this.#record();
    return failure === null ? [] : [{ code: "report_unsent", detail: failure.reason }];
  }

  #record(): MailRecord {
    return withUnnoted(readMailRecord(this.layout), this.#unnoted);
  }

  /** Never rejects. */
  async #make(period: string, now: number): Promise<void> {
    const passed = (how: string): void => this.#noteFailure(now, how);
    const ended = await this.run(this.layout, "report", [period, String(now)], { ms: LIMIT_MS, passed });
    // A killed report has noted nothing: without this it would be started again each minute.
    if (ended !== null && this.#record().failure?.at !== now) this.#noteFailure(now, ended);
  }

  #noteFailure(at: number, how: string): void {
    const failure = { at, reason: `the report was ended (${how})` };
    try {
      changeMailRecord(this.layout, { failure });
    } catch (error) {
      this.#unnoted = failure;
      console.error(`keeper: the end of a report could not be noted: ${messageOf(error)}`);
    }
  }
}
