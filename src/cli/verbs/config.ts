import { existsSync, readFileSync } from "node:fs";
import { readServiceEnvironment } from "../../adapters/machine/service-environment.ts";
import { codeOf } from "../../core/error.ts";
import { instant } from "../../core/time.ts";
import { warningsOf } from "../../settings/conflicts.ts";
import { type Loaded, loadSettings, missingDomain } from "../../settings/load.ts";
import { commentedToml } from "../../settings/reference.ts";
import { programsToRestart, waitingForStart } from "../../settings/restarts.ts";
import { type Settings, settingKeys, settingOf, variableOf } from "../../settings/schema.ts";
import type { SettingProblem } from "../../settings/setting.ts";
import { printSettings, showSettings } from "../../settings/show.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../call.ts";
import { confirmApply } from "./confirm-apply.ts";

export type ValidSettings = Extract<Loaded, { ok: true }>;

export async function configCheck(call: CommandCall): Promise<CommandOutcome> {
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const domain = missingDomain(loaded.settings);
  if (domain !== null) return invalid([{ where: "domains", says: domain }]);
  const certificate = await certificateProblem(loaded.settings, call);
  if (certificate !== null) return invalid([{ where: "tls.cert", says: certificate }]);
  const where = existsSync(call.layout.settings) ? call.layout.settings : "The defaults and the environment";
  const warnings = warningsOf(loaded.settings);
  const text = [`${where}: nothing is wrong.`, ...printWarnings(warnings)].join("\n");
  return done({ ok: true, problems: [], warnings }, text, `${PROGRAM} config apply`);
}

function printWarnings(warnings: ReturnType<typeof warningsOf>): readonly string[] {
  return warnings.map(({ says }) => `Warning: ${says}`);
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

export async function configShow(call: CommandCall): Promise<CommandOutcome> {
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const items = showSettings(loaded.sources);
  return done({ items }, printSettings(items).trimEnd(), `${PROGRAM} config reference  # explains each`);
}

export async function configReference(): Promise<CommandOutcome> {
  const items = settingKeys().map((key) => {
    const { says, byDefault, kind } = settingOf(key);
    return { key, says, default: byDefault, takes: kind.accepts, variable: variableOf(key) };
  });
  return done({ items }, commentedToml({ domains: [], hostname: "" }).trimEnd());
}

/** The settings for this data directory, or everything that is wrong with them. */
export function settingsOf({ layout, env }: Pick<CommandCall, "layout" | "env">): ValidSettings | CommandFailure {
  let text: string | null = null;
  try {
    text = readFileSync(layout.settings, "utf8");
  } catch (error) {
    const code = codeOf(error);
    if (code === "EACCES") return failed(`${layout.settings} may be read by root only.`, "Try again with sudo.");
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
  // Variables given to `npm start` apply too; those given here win, as they would at the next start.
  const loaded = loadSettings(text, { ...readServiceEnvironment(layout.environment), ...env });
  return loaded.ok ? loaded : invalid(loaded.problems);
}

export function invalid(problems: readonly Pick<SettingProblem, "where" | "says">[]): CommandFailure {
  const json = { ok: false, problems };
  const [only, ...others] = problems;
  const next = `\`${PROGRAM} config reference\` explains every setting.`;
  if (only !== undefined && others.length === 0) return { ...failed(only.says, next), found: { lines: [], json } };
  const lines = problems.map(({ says }) => `- ${says}`);
  return { ...failed(`${problems.length} settings are wrong: none was applied.`, next), found: { lines, json } };
}

/**
 * The keeper lets Postfix and Dovecot check what it renders; then the guard takes the same settings. Programs that read
 * a changed setting only at their start are restarted. Otherwise Dovecot could ask at a port that the guard has left.
 */
export async function configApply(call: CommandCall): Promise<CommandOutcome> {
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const pending = await call.guard.ask<"pending">({ verb: "pending" });
  if (!pending.ok) return pending;
  const confirmed = await confirmApply(call, loaded.settings, pending.result.changed);
  if (!confirmed.ok) return confirmed;
  const applied = await call.keeper.ask({ verb: "apply" });
  if (!applied.ok)
    return failed(
      `Nothing was applied: ${applied.reason}.`.replace(/\.\.$/, "."),
      `Correct that, then \`${PROGRAM} config apply\` again.`,
    );
  const asked = await call.guard.ask<"reload">({ verb: "reload" });
  if (!asked.ok) return asked;
  const { changed, recorded } = asked.result;
  const restarted = programsToRestart(changed);
  for (const service of restarted) {
    const reply = await call.keeper.ask({ verb: "restart", service });
    if (!reply.ok) return failed(`Not everything is in force: ${reply.reason}`, `\`${PROGRAM} status\` shows more.`);
  }
  if (!recorded)
    return failed(
      "The settings are in force, but no record of it was kept: the database could not be written.",
      `\`${PROGRAM} status\` shows more.`,
    );
  const programs = restarted.map((program) => `Restarted the ${program}.`);
  const text = [...inForce(changed), applied.detail, ...programs, confirmed.note].filter((part) => part !== "");
  const warnings = warningsOf(loaded.settings);
  return done(
    { changed, restarted, detail: applied.detail, warnings },
    [text.join(" ").trim(), ...printWarnings(warnings)].join("\n"),
    `${PROGRAM} status`,
  );
}

function inForce(changed: readonly string[]): readonly string[] {
  if (changed.length === 0) return ["No setting had changed."];
  const waiting = waitingForStart(changed);
  const now = changed.filter((key) => !waiting.includes(key));
  return [
    ...(now.length === 0 ? [] : [`In force now: ${now.join(", ")}.`]),
    ...(waiting.length === 0 ? [] : [`In force with the next \`npm start\`: ${waiting.join(", ")}.`]),
  ];
}
