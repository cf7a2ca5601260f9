import { readFileSync } from "node:fs";
import { codeOf } from "../../../../core/error.ts";
import { DAY_MS, later } from "../../../../core/time.ts";
import { loadSettings } from "../../../../settings/load.ts";
import { type Settings, settingKeys, variableOf } from "../../../../settings/schema.ts";
import { replayPolicy } from "../../../../settings/to-policy.ts";
import {
  type Answer,
  type Call,
  done,
  type Failure,
  failed,
  PROGRAM,
  type Reader,
  withReader,
  wrongUsage,
} from "../../call.ts";
import { printReplay } from "../../print/replay.ts";
import { environmentOf, invalid, settingsOf, untilNow } from "../../server-settings.ts";
import { networkFrom } from "./bans.ts";
import { sinceFrom } from "./logs.ts";

const DEFAULT_DAYS = 30;

/** The effect of a different settings file on recorded events. */
export const replay = withReader(async (call, reader) => {
  const file = call.option("policy");
  if (file === null) return wrongUsage("replay needs --policy FILE.", "FILE is a whole settings file.");
  return replayOf(file, reader, call);
});

/** The same for another settings file, as `config simulate FILE`. */
export const configSimulate = withReader((call, reader) => replayOf(call.args[0] ?? "", reader, call));

async function replayOf(file: string, reader: Reader, call: Call): Promise<Answer> {
  const given = policyFile(file, call);
  if (!("settings" in given)) return given;
  const now = call.now();
  const since = sinceFrom(call, later(now, -DEFAULT_DAYS * DAY_MS));
  if (typeof since !== "number") return since;
  const only = networkFrom(call);
  if (only !== null && typeof only !== "string") return only;
  const own = settingsOf(call);
  if (!own.ok) return own;
  const pending = await call.guard.ask({ verb: "pending" });
  const allowed = pending.ok ? untilNow("allow.networks", own.settings, pending.result) : own.settings;
  const report = await reader.replay({
    ...replayPolicy(given.settings, allowed),
    since,
    only,
    mostEvents: Number.MAX_SAFE_INTEGER,
    now,
  });
  const [worst] = report.mostAffected;
  return done(report, printReplay(report, file), `${PROGRAM} ${worst === undefined ? "events" : `why ${worst.ip}`}`);
}

/** The whole file must be valid. Its values override the environment of the service. */
function policyFile(file: string, call: Call): Readonly<{ settings: Settings }> | Failure {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const why = codeOf(error) || "it cannot be read";
    return failed(`${file} cannot be read (${why}).`, "Give the path of a settings file.");
  }
  const alone = loadSettings(text, {});
  if (!alone.ok) return invalid(alone.problems);
  const written = settingKeys().filter((key) => alone.sources[key].from === "file");
  const overridden = new Set(written.map((key) => variableOf(key)));
  const environment = Object.entries(environmentOf(call));
  const loaded = loadSettings(text, Object.fromEntries(environment.filter(([name]) => !overridden.has(name))));
  return loaded.ok ? { settings: loaded.settings } : invalid(loaded.problems);
}
