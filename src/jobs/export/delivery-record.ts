import { existsSync, renameSync, writeFileSync } from "node:fs";
import * as z from "zod/mini";
import { isObject, lazily, readFields, text, wholeNumber } from "../../admin/declare/fields.ts";
import { failureOf, reportOnce } from "../../core/error.ts";
import { parseJson, plural } from "../../core/text.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import type { Clock, Notices } from "../../guard/ports.ts";
import { readForeign } from "../../host/root-files/files.ts";
import { serviceExists } from "../../host/running/supervised.ts";
import type { ForeignFile, Layout } from "../../settings/layout.ts";
import type { Delivered } from "./exporter.ts";

/** How long a loss is reported. */
const LOST_MS = DAY_MS;
const MOST_TROUBLE = 300;
const MOST_AT = 40;
/** Far more than the longest record. */
const MOST_BYTES = 16 * 1024;

/**
 * The exporter's own state. `position`: the id of the last delivered event, null before the first; `at`: its time, as shown. `since`: when
 * the trouble started. `lost`: how many events were removed before they could be delivered, and when that was last seen. The other times
 * are milliseconds since the Unix epoch.
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

/** Replaces the file as a whole, flushed before the rename. Calls `report` with why it cannot be written, once for each reason. */
export function deliveryFile(file: ForeignFile, report: (why: string) => void, now: () => number = Date.now) {
  const unwritten = reportOnce(report);
  const read = readDelivery(file);
  let since = read?.since ?? null;
  let lost = read?.lost ?? null;
  /** An unreadable record is not a first run: all stored events are sent, so that none is skipped. */
  const isUnreadable = (): boolean => existsSync(file.foreign) && readDelivery(file) === null;
  return {
    isUnreadable,
    last: (): Delivered | null => {
      if (isUnreadable()) return { id: 0, at: null };
      const { position = null, at = null } = readDelivery(file) ?? {};
      return position === null ? null : { id: position, at };
    },
    /** Returns whether it was written. A full disk must not end the exporter, which would send the same events after a restart. */
    note: (last: Delivered | null, said: Readonly<{ trouble: string | null; lost: number }>): boolean => {
      const at = now();
      const trouble = said.trouble?.slice(0, MOST_TROUBLE) ?? null;
      since = trouble === null ? null : (since ?? at);
      const before = lost !== null && at - lost.at < LOST_MS ? lost : null;
      lost = said.lost === 0 ? before : { count: (before?.count ?? 0) + said.lost, at };
      const delivery = { position: last?.id ?? null, at: last?.at ?? null, trouble, since, lost };
      const failure = failureOf(() => write(file, delivery));
      unwritten(failure);
      return failure === null;
    },
  };
}

function write({ foreign }: ForeignFile, delivery: Delivery): void {
  const fresh = `${foreign}.new`;
  writeFileSync(fresh, `${JSON.stringify(delivery)}\n`, { mode: 0o640, flush: true });
  renameSync(fresh, foreign);
}

const LONG_MS = 5 * MINUTE_MS;

/** Reports when events do not reach their receiver, or cannot reach it any more. A restart of the receiver is not reported. */
export function lookAtExport(layout: Pick<Layout, "exportRecord" | "services">, notices: Notices, clock: Clock): void {
  const delivery = serviceExists(layout.services, "export") ? readDelivery(layout.exportRecord) : null;
  const { trouble, since, lost } = delivery ?? { trouble: null, since: null, lost: null };
  const now = clock.now();
  const details: string[] = [];
  if (trouble !== null && since !== null && Math.abs(now - since) >= LONG_MS) details.push(trouble);
  if (lost !== null && Math.abs(now - lost.at) < LOST_MS)
    details.push(`${plural(lost.count, "event")} lost before they could be delivered`);
  notices.set("export_failing", details.length === 0 ? null : details.join("; "));
}
