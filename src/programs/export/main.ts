import { readFileSync, statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { systemClock } from "../../host/machine/clock.ts";
import { saveMemoryOnceSettled } from "../../host/machine/late-flags.ts";
import { createLog } from "../../host/machine/log.ts";
import { readNamed } from "../../host/root-files/files.ts";
import { deliveryFile } from "../../jobs/export/delivery-record.ts";
import { createExporter } from "../../jobs/export/exporter.ts";
import { createRelpReceiver, createTlsReceiver, type SyslogServer } from "../../jobs/export/syslog-receiver.ts";
import { layoutFrom } from "../../settings/layout.ts";
import { type ExportSettings, readSettingsFile } from "../../settings/program-settings.ts";
import { sqliteQueries } from "../../store/engine-db/queries.ts";
import { openEngineForReading } from "../../store/open.ts";

/**
 * Sends the committed events to the receiver of `export.syslog`, as `ghostinbox-export`, which can only read them.
 * If anything but a certificate cannot be read or opened, it ends, and runsv(8) starts it again.
 */

/** More than 12 s, so that the keeper does not report a service that keeps exiting (watch-services.ts). */
const BEFORE_NEXT_TRY_MS = 15 * SECOND_MS;
/** A bundle of all public certificate authorities takes a quarter of a megabyte. */
const MOST_PEM_BYTES = 4_000_000;

const log = createLog(systemClock);
const layout = layoutFrom(process.env);
const record = deliveryFile(layout.exportRecord, (why) =>
  log.error("The last position cannot be stored: after a restart, later events are sent again.", { why }),
);

// Exits at once, because unconfirmed events are sent again.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
try {
  await run();
} catch (error) {
  const trouble = messageOf(error);
  log.error("The exporter ends, and is started again.", { why: trouble });
  record.note(record.last(), { trouble, lost: 0 });
  await pause(BEFORE_NEXT_TRY_MS);
  process.exit(1);
}

async function run(): Promise<never> {
  const read = readSettingsFile(readFileSync(layout.exportSettings, "utf8"));
  if (!read.ok) throw new Error(read.reason);
  const server = serverOf(read.settings);
  const receiver =
    read.settings["export.syslog.protocol"] === "relp" ? createRelpReceiver(server) : createTlsReceiver(server);
  // Read before the file is opened: one that replaces it in between is a different one.
  const inode = inodeOf(layout.engineDb);
  const queries = sqliteQueries(openEngineForReading(layout.engineDb));
  if (record.isUnreadable())
    log.warn("The record of what was sent cannot be read: all stored events are sent again.", {});
  let trouble: string | null = null;
  let position = 0;
  const exporter = createExporter({
    events: (filter) => {
      if (inodeOf(layout.engineDb) !== inode) throw new Error(`${layout.engineDb} was replaced.`);
      return queries.events(filter);
    },
    receiver,
    record: {
      last: () => record.last(),
      note: (last, said) => {
        const { trouble: now, lost } = said;
        const isNoted = record.note(last, said);
        if (now !== trouble && now !== null) log.warn("Events cannot be sent.", { why: now });
        if (now !== trouble && now === null) log.info("The receiver accepts events again.", { after: last.id });
        if (last.id < position) log.warn("This is a different database: all its events are sent.", { after: last.id });
        if (lost > 0) log.warn("Events were removed before they were sent.", { count: lost, before: last.id });
        [trouble, position] = [now, last.id];
        return isNoted;
      },
    },
  });
  log.info("Events are sent.", { host: server.host, port: server.port });
  saveMemoryOnceSettled();
  for (;;) await pause(await exporter.step());
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true }).ino;
}

function serverOf(settings: ExportSettings): SyslogServer {
  const { "export.syslog.ca": ca, "export.syslog.cert": cert, "export.syslog.key": key } = settings;
  return {
    host: settings["export.syslog.host"],
    port: settings["export.syslog.port"],
    // Read for each connection, because certificates are renewed while this runs.
    get authorities() {
      return ca === "" ? undefined : pem(ca);
    },
    get identity() {
      return cert === "" ? undefined : { cert: pem(cert), key: pem(key) };
    },
    hostname: settings.hostname,
  };
}

function pem(path: string): string {
  return readNamed(path, MOST_PEM_BYTES).toString();
}
