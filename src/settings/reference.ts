import { WRITTEN_FIRST } from "./first-variables.ts";
import { type SettingKey, type Settings, sectionOf, settingKeys, settingOf } from "./schema.ts";

type KnownFirst = Pick<Settings, "domains" | "hostname"> & Partial<Pick<Settings, "profile">>;

/**
 * The file that set-up writes: every setting with its sentence. Only known values are set, the rest is in comments. It opens no table,
 * because a line with the whole key means the same wherever it is pasted.
 */
export function commentedToml({ profile = "standard", ...known }: KnownFirst): string {
  const live = new Map<SettingKey, string>(
    WRITTEN_FIRST.flatMap((key) => {
      const value = { ...known, profile }[key];
      return value === settingOf(key).byDefault ? [] : [[key, listOrText(value)]];
    }),
  );
  const sections = [...Map.groupBy(settingKeys(), sectionOf).values()].map((keys) => {
    const lines = keys.map((key) => {
      const value = live.get(key);
      const { says, byDefault } = settingOf(key);
      const line = `${key} = ${value ?? listOrText(byDefault)}`;
      return `# ${says}\n${value === undefined ? `# ${line}` : line}`;
    });
    return `${lines.join("\n")}\n`;
  });
  return `# Settings of GhostInbox. "# name =" shows the default at the first start, without a profile; \`config reference\` lists today's.
# Remove the # to change it, or let \`ghostinbox config set\` write it. \`config check\` finds mistakes, \`config apply\` applies this file.

${sections.join("\n")}`;
}

/** A default as the schema writes it (`24h`, not `1d`). For these values JSON and TOML are the same. */
export function listOrText(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]` : JSON.stringify(value);
}
