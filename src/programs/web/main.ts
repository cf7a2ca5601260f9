import { codeOf, messageOf } from "../../core/error.ts";
import { systemClock } from "../../host/machine/clock.ts";
import { saveMemoryOnceSettled } from "../../host/machine/late-flags.ts";
import { createLog } from "../../host/machine/log.ts";
import { layoutFrom } from "../../settings/layout.ts";
import { composeWeb, readWebSettings } from "./compose.ts";

/** The web program: HTTP API and dashboard. It starts without the guard and the database. */

const log = createLog(systemClock);
const layout = layoutFrom(process.env);
const read = readWebSettings(layout);
if (!read.ok) fail(read.reason);

const address = read.settings["http.address"];
const port = read.settings["ports.http"];
const web = composeWeb(layout, read.settings, log);
try {
  await web.start(address, port);
} catch (error) {
  fail(`Cannot listen on ${address} port ${port}: ${whyNot(error)}`);
}
log.info("listening", { address, port });
saveMemoryOnceSettled();

const end = (): void => void web.stop().finally(() => process.exit(0));
process.once("SIGTERM", end);
process.once("SIGINT", end);

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function whyNot(error: unknown): string {
  const unusable = "this machine cannot use that address; set http.address.";
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there; set ports.http to another port.",
    EACCES: "this process may not use ports below 1024; set ports.http higher.",
    EADDRNOTAVAIL: "this machine does not have that address; set http.address.",
    EAFNOSUPPORT: unusable,
    EINVAL: unusable,
  };
  return known[codeOf(error)] ?? messageOf(error);
}
