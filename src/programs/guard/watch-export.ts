import { plural } from "../../core/text.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { Clock, Notices } from "../../guard/ports.ts";
import { serviceExists } from "../../host/running/supervised.ts";
import { LOST_MS, readDelivery } from "../../jobs/export/delivery-record.ts";
import type { ForeignFile } from "../../settings/layout.ts";

const LONG_MS = 5 * MINUTE_MS;
const NOTHING = { trouble: null, since: null, lost: null };

type Parts = Readonly<{
  notices: Notices;
  clock: Clock;
  /** The exporter's own state. */
  record: ForeignFile;
  /** The directory of the services: without the exporter's service, nothing is exported. */
  services: string;
}>;

/** Reports when events do not reach their receiver, or cannot reach it any more. A restart of the receiver is not reported. */
export function lookAtExport({ notices, clock, record, services }: Parts): void {
  const { trouble, since, lost } = (serviceExists(services, "export") ? readDelivery(record) : null) ?? NOTHING;
  const now = clock.now();
  const details: string[] = [];
  if (trouble !== null && since !== null && now - since >= LONG_MS) details.push(trouble);
  if (lost !== null && now - lost.at < LOST_MS)
    details.push(`${plural(lost.count, "event")} left the database before they could be delivered`);
  notices.set("export_failing", details.length === 0 ? null : details.join("; "));
}
