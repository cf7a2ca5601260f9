import { existsSync } from "node:fs";
import { instant } from "../../../core/time.ts";
import { warningsOf } from "../../../settings/conflicts.ts";
import { missingDomain } from "../../../settings/load.ts";
import { commentedToml } from "../../../settings/reference.ts";
import { type Settings, settingKeys, settingOf, variableOf } from "../../../settings/schema.ts";
import { SCRIPT } from "../../../settings/script/adopt-edits.ts";
import { printSettings, showSettings } from "../../../settings/show.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM } from "../../call.ts";
import { adoptedEdits } from "./adopted-edits.ts";
import { invalid, settingsOf, surprises } from "./server-settings.ts";

export async function configCheck(call: CommandCall): Promise<CommandOutcome> {
  const edited = await adoptedEdits(call, { isTrial: true });
  if (!edited.ok) return edited;
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const domain = missingDomain(loaded.settings);
  if (domain !== null) return invalid([{ where: "domains", says: domain }]);
  const certificate = await certificateProblem(loaded.settings, call);
  if (certificate !== null) return invalid([{ where: "tls.cert", says: certificate }]);
  const where = existsSync(call.layout.settings) ? call.layout.settings : "The defaults and the environment";
  const warnings = [...edited.warnings, ...warningsOf(loaded.settings), ...surprises(call, loaded)];
  const text = [`${where}: nothing is wrong.`, ...warnings.map(({ says }) => `Warning: ${says}`)].join("\n");
  return done({ ok: true, problems: [], warnings }, text, `${PROGRAM} config apply`);
}

/** What `config apply` would refuse about the owner's certificate. Ours is made if it is missing. */
async function certificateProblem(settings: Settings, { layout, now }: CommandCall): Promise<string | null> {
  if (settings["tls.cert"] === "" || settings["tls.key"] === "") return null;
  const [{ readPair }, { certificateFiles }] = await Promise.all([
    import("../../../daemon/set-up/issue-certificate.ts"),
    import("../../../daemon/set-up/site.ts"),
  ]);
  const pair = readPair(certificateFiles(settings, layout), instant(now()));
  return pair.ok ? null : pair.reason;
}

/** What the server uses. Of a setting that was edited and not applied yet, both values are shown. */
export async function configShow(call: CommandCall): Promise<CommandOutcome> {
  const edited = await adoptedEdits(call, { isTrial: true });
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const pending = await call.guard.ask<"pending">({ verb: "pending" });
  const { changed, inForce } = pending.ok ? pending.result : { changed: [], inForce: [] };
  const still = new Map(changed.map((key, i) => [key, inForce[i] ?? ""]));
  const shown = showSettings(loaded.sources);
  const items = shown.map((one) => ({
    ...one,
    applied: pending.ok ? !still.has(one.key) : null,
    inForce: pending.ok ? (still.get(one.key) ?? one.value) : null,
  }));
  const unread = edited.ok ? edited.warnings : [{ where: SCRIPT, says: edited.message }];
  const warnings = [...unread, ...surprises(call, loaded)];
  const text = [printSettings(shown, still).trimEnd(), ...warnings.map(({ says }) => `# Warning: ${says}`)].join("\n");
  const next = still.size > 0 ? `${PROGRAM} config apply` : `${PROGRAM} config reference  # explains each`;
  return done({ items, warnings }, text, next);
}

export async function configReference(): Promise<CommandOutcome> {
  const items = settingKeys().map((key) => {
    const { says, byDefault, kind } = settingOf(key);
    return { key, says, default: byDefault, takes: kind.accepts, variable: variableOf(key) };
  });
  return done({ items }, commentedToml({ domains: [], hostname: "" }).trimEnd());
}
