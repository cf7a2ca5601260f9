import { existsSync } from "node:fs";
import { instant } from "../../core/time.ts";
import { warningsOf } from "../../settings/conflicts.ts";
import { missingDomain } from "../../settings/load.ts";
import { commentedToml } from "../../settings/reference.ts";
import { type Settings, settingKeys, settingOf, variableOf } from "../../settings/schema.ts";
import { printSettings, showSettings } from "../../settings/show.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM } from "../call.ts";
import { invalid, settingsOf, surprises } from "./server-settings.ts";

export async function configCheck(call: CommandCall): Promise<CommandOutcome> {
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const domain = missingDomain(loaded.settings);
  if (domain !== null) return invalid([{ where: "domains", says: domain }]);
  const certificate = await certificateProblem(loaded.settings, call);
  if (certificate !== null) return invalid([{ where: "tls.cert", says: certificate }]);
  const where = existsSync(call.layout.settings) ? call.layout.settings : "The defaults and the environment";
  const warnings = [...warningsOf(loaded.settings), ...surprises(call, loaded)];
  const text = [`${where}: nothing is wrong.`, ...warnings.map(({ says }) => `Warning: ${says}`)].join("\n");
  return done({ ok: true, problems: [], warnings }, text, `${PROGRAM} config apply`);
}

/** What `config apply` would refuse about the owner's certificate. Ours is made if it is missing. */
async function certificateProblem(settings: Settings, { layout, now }: CommandCall): Promise<string | null> {
  if (settings["tls.cert"] === "" || settings["tls.key"] === "") return null;
  const [{ readPair }, { certificateFiles }] = await Promise.all([
    import("../../daemon/set-up/issue-certificate.ts"),
    import("../../daemon/set-up/site.ts"),
  ]);
  const pair = readPair(certificateFiles(settings, layout), instant(now()));
  return pair.ok ? null : pair.reason;
}

/** What the server uses. A setting that was edited and not applied yet is marked. */
export async function configShow(call: CommandCall): Promise<CommandOutcome> {
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const pending = await call.guard.ask<"pending">({ verb: "pending" });
  const waiting = pending.ok ? pending.result.changed : [];
  const shown = showSettings(loaded.sources);
  const items = shown.map((one) => ({ ...one, applied: pending.ok ? !waiting.includes(one.key) : null }));
  const warnings = surprises(call, loaded);
  const text = [printSettings(shown, waiting).trimEnd(), ...warnings.map(({ says }) => `# Warning: ${says}`)].join(
    "\n",
  );
  const next = waiting.length > 0 ? `${PROGRAM} config apply` : `${PROGRAM} config reference  # explains each`;
  return done({ items, warnings }, text, next);
}

export async function configReference(): Promise<CommandOutcome> {
  const items = settingKeys().map((key) => {
    const { says, byDefault, kind } = settingOf(key);
    return { key, says, default: byDefault, takes: kind.accepts, variable: variableOf(key) };
  });
  return done({ items }, commentedToml({ domains: [], hostname: "" }).trimEnd());
}
