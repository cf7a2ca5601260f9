import { WRITTEN_FIRST } from "./first-variables.ts";
import { profileDefault } from "./profile.ts";
import { type SettingKey, type Settings, sectionOf, settingKeys, settingOf, variableOf } from "./schema.ts";

/**
 * `docs/reference/settings.md`, which its test writes.
 * @internal
 */
export function referenceMarkdown(): string {
  const sections = bySection().map(
    ([section, keys]) => `## ${section === "" ? "At the top" : section}\n\n${keys.map(entry).join("\n\n")}\n`,
  );
  return `# Settings

Generated from \`src/settings/schema.ts\`; do not edit.

Settings are in \`ghostinbox.toml\` in the data directory, one on a line, with its whole name. So you can paste any line or
block of these pages anywhere into the file. Each setting may be in it once. (A TOML table such as \`[limits.mail]\` is
accepted too, but a line that is pasted below it belongs to it.)

Each setting can also be set by an environment variable, which wins over the file. In a variable, the items of a list are
separated by commas, and \`[]\` is an empty list. An empty variable counts as not set. For a list it could also mean an empty
list, so there it is refused: write \`[]\`, or leave the variable out. (\`GHOSTINBOX_DOMAIN\` and \`GHOSTINBOX_BANS__LADDER\` are
never empty lists, so they count as not set too.)

Durations are written \`500ms\`, \`45s\`, \`30m\`, \`2h\`, \`7d\`; sizes \`512KB\`, \`10MB\`, \`2GB\`, where a kilobyte is 1,024
bytes. An unknown key is an error. \`config set\` changes single lines, \`config check\` tests the file without
applying it, \`config apply\` applies it, and \`config show\` shows every value and where it comes from
([how](../settings.md)). [Terms](../glossary.md)

${sections.join("\n")}`;
}

type Known = Pick<Settings, (typeof WRITTEN_FIRST)[number]>;
type KnownFirst = Omit<Known, "profile"> & Partial<Pick<Known, "profile">>;

/**
 * The file that set-up writes: every setting with its sentence. Only known values are set, the rest is in comments. It
 * opens no table: a line that names its whole key means the same wherever it is pasted.
 */
export function commentedToml({ profile = "standard", ...known }: KnownFirst): string {
  const live = new Map<SettingKey, string>(
    WRITTEN_FIRST.flatMap((key) => {
      const isUsual = key === "profile" && profile === "standard";
      return isUsual ? [] : [[key, listOrText({ ...known, profile }[key])]];
    }),
  );
  const sections = bySection().map(([, keys]) => {
    const lines = keys.map((key) => {
      const value = live.get(key);
      const line = `${key} = ${value ?? writtenDefault(key)}`;
      return `# ${settingOf(key).says}\n${value === undefined ? `# ${line}` : line}`;
    });
    return `${lines.join("\n")}\n`;
  });
  return `# Settings of GhostInbox. A line that starts with "# name =" shows a default: remove the # to change it, or let
# \`ghostinbox config set\` write it. \`config check\` shows what is wrong with this file, \`config apply\` applies it.

${sections.join("\n")}`;
}

function entry(key: SettingKey): string {
  const { says, source, kind } = settingOf(key);
  return `### \`${key}\`

${says}${source === undefined ? "" : `\n\nSource: ${source}.`}

- Default: \`${writtenDefault(key)}\`${inSmall(key)}
- Takes: ${kind.accepts}
- Variable: \`${variableOf(key)}\``;
}

function inSmall(key: SettingKey): string {
  const value = profileDefault("small", key);
  return value === undefined ? "" : `; with \`profile = "small"\`: \`${listOrText(value)}\``;
}

function bySection(): readonly (readonly [string, readonly SettingKey[]])[] {
  return [...Map.groupBy(settingKeys(), sectionOf)];
}

/** As the schema writes it (`24h`, not `1d`). For these values JSON and TOML are the same. */
function writtenDefault(key: SettingKey): string {
  return listOrText(settingOf(key).byDefault);
}

function listOrText(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]` : JSON.stringify(value);
}
