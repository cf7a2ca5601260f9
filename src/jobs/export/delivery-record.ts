import { existsSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import * as z from "zod/mini";
import { isObject, lazily, readFields, text, wholeNumber } from "../../admin/declare/fields.ts";
import { parseJson } from "../../core/text.ts";
import { DAY_MS } from "../../core/time.ts";
import { Held } from "../../host/root-files/directory.ts";
import { readForeign } from "../../host/root-files/files.ts";
import type { ForeignFile } from "../../settings/layout.ts";
import type { Delivered, DeliveryRecord } from "./exporter.ts";

/** How long a loss is reported. */
export const LOST_MS = DAY_MS;
const MOST_TROUBLE = 300;
const MOST_AT = 40;
/** Far more than the longest record. */
const MOST_BYTES = 16 * 1024;

/**
 * The exporter's own state. `position` null: it has not started; `at`: the time of the event there. `since`: when the
 * trouble started. `lost`: events that were removed before they could be delivered, and when that was last
 * seen. Times are milliseconds since the Unix epoch, the event's as shown.
 */
const written = lazily(() => {
  const whole = wholeNumber(0, Number.MAX_SAFE_INTEGER);
  return z.strictObject({
    position: z.nullable(whole),
    at: z.nullable(text(MOST_AT)),
    trouble: z.nullable(text(MOST_TROUBLE)),
    since: z.nullable(whole),
    lost: z.nullable(z.strictObject({ count: whole, at: whole })),
  });
});

export type Delivery = Readonly<z.output<ReturnType<typeof written>>>;

/** Null if it is missing or unusable. */
export function readDelivery(file: ForeignFile): Delivery | null {
  const text = readForeign(file, MOST_BYTES);
  if (text === null) return null;
  const json = parseJson(text);
  if (!isObject(json)) return null;
  const read = readFields(written(), json);
  return read.ok ? read.value : null;
}

/** Replaces the file as a whole, flushed before the rename. */
export class DeliveryFile implements DeliveryRecord {
  readonly #file: ForeignFile;
  readonly #now: () => number;
  #since: number | null;
  #lost: Delivery["lost"];

  constructor(file: ForeignFile, now: () => number = Date.now) {
    this.#file = file;
    this.#now = now;
    const read = readDelivery(file);
    this.#since = read?.since ?? null;
    this.#lost = read?.lost ?? null;
  }

  /** An unreadable record does not mean a first run: to skip no event, all stored events are sent from the first. */
  isUnreadable(): boolean {
    return existsSync(this.#file.foreign) && readDelivery(this.#file) === null;
  }

  last(): Delivered | null {
    if (this.isUnreadable()) return { id: 0, at: null };
    const read = readDelivery(this.#file);
    return read === null || read.position === null ? null : { id: read.position, at: read.at };
  }

  note(last: Delivered | null, { trouble, lost }: Readonly<{ trouble: string | null; lost: number }>): void {
    const now = this.#now();
    this.#since = trouble === null ? null : (this.#since ?? now);
    const before = this.#lost !== null && now - this.#lost.at < LOST_MS ? this.#lost : null;
    this.#lost = lost === 0 ? before : { count: (before?.count ?? 0) + lost, at: now };
    this.#write({
      position: last?.id ?? null,
      at: last?.at ?? null,
      trouble: trouble?.slice(0, MOST_TROUBLE) ?? null,
      since: this.#since,
      lost: this.#lost,
    });
  }

  #write(delivery: Delivery): void {
    const path = this.#file.foreign;
    const fresh = `${path}.new`;
    using file = new Held(openSync(fresh, "w", 0o640));
    writeSync(file.fd, `${JSON.stringify(delivery)}\n`);
    fsyncSync(file.fd);
    renameSync(fresh, path);
  }
}
