/** A family of metrics, by its name: what Prometheus would store. */
export type Family = Readonly<{
  name: string;
  help: string;
  type: "counter" | "gauge";
  samples: readonly Sample[];
}>;
export type Sample = Readonly<{ labels: Readonly<Record<string, string>>; value: number }>;

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"`;
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)?\})? (\S+)$`);

/**
 * Reads Prometheus's text format 0.0.4 as strictly as `promtool check metrics` does: each family with its help and its
 * type, all its samples together, none twice, counters named `_total`. Throws at the first fault.
 */
export function parseMetrics(text: string): readonly Family[] {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families: { name: string; help: string; type: Family["type"]; samples: Sample[] }[] = [];
  const lines = text.slice(0, -1).split("\n");
  for (let at = 0; at < lines.length; ) {
    const [, name = "", help = ""] = /^# HELP (\S+) (\S.*)$/.exec(lines[at++] ?? "") ?? [];
    const [, typed = "", type = ""] = /^# TYPE (\S+) (\S+)$/.exec(lines[at++] ?? "") ?? [];
    if (name === "" || name !== typed || !new RegExp(`^${NAME}$`).test(name))
      throw new Error(`line ${at}: no family starts here: ${lines[at - 1]}`);
    if (type !== "counter" && type !== "gauge") throw new Error(`line ${at}: not a type: ${type}`);
    if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name}: a ${type} is not named so`);
    if (families.some((family) => family.name === name)) throw new Error(`${name}: two families`);
    const samples: Sample[] = [];
    for (; at < lines.length && !(lines[at] ?? "").startsWith("#"); at++) samples.push(sampleOf(name, lines[at] ?? ""));
    if (new Set(samples.map(({ labels }) => JSON.stringify(labels))).size !== samples.length)
      throw new Error(`${name}: two samples with the same labels`);
    families.push({ name, help, type, samples });
  }
  return families;
}

function sampleOf(family: string, line: string): Sample {
  const [, name, labels = "", value = ""] = SAMPLE.exec(line) ?? [];
  if (name !== family) throw new Error(`not a sample of ${family}: ${line}`);
  if (!/^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/.test(value)) throw new Error(`not a number: ${line}`);
  const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([pair]) => {
    const equals = pair.indexOf("=");
    return [pair.slice(0, equals), pair.slice(equals + 2, -1)] as const;
  });
  return { labels: Object.fromEntries(pairs), value: Number(value) };
}
