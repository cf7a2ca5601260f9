import assert from "node:assert/strict";
import { type Environment, type Loaded, loadSettings } from "../../src/settings/load.ts";
import type { Settings } from "../../src/settings/schema.ts";

/** Loads a file and an environment without mistakes. */
export function loadValid(text: string | null, env: Environment = {}): Extract<Loaded, { ok: true }> {
  const loaded = loadSettings(text, env);
  return loaded.ok ? loaded : assert.fail(loaded.problems.map(({ says }) => says).join("\n"));
}

/** The settings of a server for example.org, with these lines in its file. */
export const settingsWith = (toml = ""): Settings => loadValid(`domains = ["example.org"]\n${toml}`).settings;

/** What is wrong with a file and an environment. */
export function settingProblems(text: string | null, env: Environment = {}): readonly string[] {
  const loaded = loadSettings(text, env);
  return loaded.ok ? [] : loaded.problems.map(({ says }) => says);
}
