/** The pages below docs/ whose `sh` blocks a test types; the first one starts the server, and ends it. */
export const TYPED_PAGES: readonly string[] = [
  "tasks.md",
  "mail-programs.md",
  "moving-mail.md",
  "mail-that-waits.md",
  "runbooks/hijacked-account.md",
  "runbooks/server-taken-over.md",
  "runbooks/lost-disk.md",
  "runbooks/on-block-lists.md",
  "runbooks/flood.md",
  "runbooks/lost-admin-access.md",
  "runbooks/certificate-problem.md",
];

/** Pages that other tests type, in this order, because their server is behind a router or has no IPv4 address. */
export const INSTALL_PAGES: readonly string[] = [
  "install/bare-host.md",
  "install/ipv6-only.md",
  "install/behind-nat.md",
  "install/outside-relay.md",
];

/** Pages typed by the tests of their packages: test/e2e/systemd.test.ts and image.test.ts. */
export const SHIPPING_PAGES: readonly string[] = ["package.md", "docker.md"];

/** A printed command, and its printed output. */
export type Step = Readonly<{
  /** The heading above it, without its number. */
  task: string;
  /** Whether it is typed on the owner's own computer, not on the server. */
  isElsewhere: boolean;
  line: string;
  /** Lines that must appear in this order, with others in between. */
  sees: readonly string[];
  /** Its questions and their answers; null: a password. */
  asks: readonly (readonly [question: string, answer: string | null])[];
  code: number;
}>;

/** How pages print varying values, and the patterns for them. The first match counts. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[ _]\d\d:\d\d:\d\d(?:\.\d+)?/y, String.raw`\d{4}-\d\d-\d\d[ _]\d\d:\d\d:\d\d(?:\.\d+)?`],
  // A queue id of Postfix.
  [/72CED1EABE5/y, "[0-9A-Za-z]{8,}"],
  // An amount with its unit.
  [
    /\d+(?:\.\d+)? (?:KB|MB|GB|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?/y,
    String.raw`\d+(?:\.\d+)? (?:bytes|KB|MB|GB|ms|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?`,
  ],
  [/\.\.\.|…/y, "[^]*?"],
  [/\s+/y, String.raw`\s+`],
];

/** A question whose answer the page prints, or which asks for a password. */
const QUESTION =
  /^(.*(?:\[y\/N\]|\[Y\/n\]|Type yes.*:|New password:|Once more:|Enter host password.*:|Password \(\w+\):))(?: (\w+))?$/;

/**
 * The steps in a page's fenced blocks: `sh` is typed line by line; a `text` block after it is the output of its last line. The
 * last line ends with the exit code that the text after it names, or with 0.
 */
export function stepsOf(page: string): readonly Step[] {
  return sectionsOf(page).flatMap(([task, section]) => {
    const [before = "", ...blocks] = section.split(/^```sh\n/m);
    let text = before;
    return blocks.flatMap((block) => {
      const isElsewhere = /On your own computer:\s*$/.test(text);
      const end = block.indexOf("```\n");
      text = block.slice(end + 4);
      const [, seen = ""] = /^\s*```text\n([^]*?)^```$/m.exec(text) ?? [];
      const sees = seen.split("\n").filter((line) => line.trim() !== "");
      const code = Number(/exit code (\d+)/.exec(text)?.[1] ?? 0);
      const lines = linesOf(block.slice(0, end));
      return lines.map((line, at) => {
        if (at < lines.length - 1) return { task, isElsewhere, line, sees: [], asks: [], code: 0 };
        const asks = sees.flatMap((each): Step["asks"] => {
          const [, question, answer = null] = QUESTION.exec(each.trim()) ?? [];
          return question === undefined ? [] : [[question, answer]];
        });
        return { task, isElsewhere, line, sees, asks, code };
      });
    });
  });
}

/** The sections of second-level headings, by title without number. */
export function sectionsOf(page: string): readonly (readonly [heading: string, text: string])[] {
  const sections = page.split(/^## /m).slice(1);
  return sections.map((section) => {
    const end = section.indexOf("\n");
    return [section.slice(0, end).replace(/^\d+\. /, ""), section.slice(end)];
  });
}

/** A pattern for these lines that ignores a terminal's line breaks. */
export const patternOf = (sees: readonly string[]): RegExp =>
  new RegExp(sees.map((line) => loosely(line.trim())).join("[^]*?"));

function loosely(line: string): string {
  let pattern = "";
  for (let at = 0; at < line.length; ) {
    const kind = KINDS.find(([what]) => {
      what.lastIndex = at;
      return what.test(line);
    });
    pattern += kind?.[1] ?? RegExp.escape(line[at] ?? "");
    at = kind?.[0].lastIndex ?? at + 1;
  }
  return pattern;
}

/** The lines of a block. One that ends with a backslash continues in the next; a here-document is one line. */
function linesOf(block: string): readonly string[] {
  const joined = block.replaceAll(/\\\n\s*/g, "");
  return [...joined.matchAll(/^.*<<'(\w+)'\n[^]*?^\1$|^.+$/gm)].map(([line]) => line);
}
