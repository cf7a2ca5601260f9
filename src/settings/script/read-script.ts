/** The value of `config`, or what is wrong with the file. */
export type ScriptRead = Readonly<{ ok: true; config: object }> | Readonly<{ ok: false; says: string }>;

const START = /^const config = (?=\{)/m;
const TOKEN =
  /(?<blank>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|"(?<double>[^"\\\n]*)"|'(?<single>[^'\\\n]*)'|(?<number>\d{1,9}(?:\s*\*\s*\d{1,9}){0,4})(?![\w\s]*\*)(?!\w)|(?<name>[A-Za-z_]\w*)|(?<mark>[{}[\]:,])/y;

/**
 * Reads `const config = { … };` without running any of the file, so that it can do no harm as root. What is written
 * there must be plain: names, numbers and their products (`30 * 60 * 1000`), texts, lists and comments.
 */
export function readScript(text: string): ScriptRead {
  const start = START.exec(text);
  if (start === null) return { ok: false, says: "has no line `const config = {`." };
  const json: string[] = [];
  let depth = 0;
  TOKEN.lastIndex = start.index + start[0].length;
  do {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) return { ok: false, says: `line ${lineAt(text, at)} is more than a plain value.` };
    const { blank, double, single, number, name, mark } = groups;
    if (blank !== undefined) continue;
    if (mark === "{" || mark === "[") depth++;
    if (mark === "}" || mark === "]") {
      depth--;
      // JavaScript allows a comma behind the last one.
      if (json.at(-1) === ",") json.pop();
    }
    json.push(mark ?? (number === undefined ? JSON.stringify(double ?? single ?? name) : product(number)));
  } while (depth > 0);
  const config = parsed(json.join(""));
  if (config !== null) return { ok: true, config };
  const from = lineAt(text, start.index);
  return { ok: false, says: `the lines from ${from} on are not plain values, one after another.` };
}

function product(factors: string): string {
  return String(factors.split("*").reduce((before, factor) => before * Number(factor), 1));
}

function parsed(json: string): object | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}
