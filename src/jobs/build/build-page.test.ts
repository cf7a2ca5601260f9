import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { before, describe, test } from "node:test";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { encoded } from "../../surfaces/api/page.ts";
import { buildPrograms } from "./build-programs.ts";
import type { Built } from "./bundle.ts";

const CODINGS = ["br", "gzip"] as const;
const LANGUAGES = ["english", "german"] as const;
/**
 * What a reader loads, with the styles and the larger language, as a browser gets it over https or from this machine, and over plain
 * http: until the sign-in; with the first page of an administrator; with every page; and with that of a mailbox's user. The code that
 * draws QR codes loads where one is shown.
 */
const MOST_BYTES = {
  "sign-in": { br: 22_000, gzip: 24_000, pages: [], texts: [""] },
  now: { br: 36_000, gzip: 39_000, pages: ["now"], texts: ["", "-admin"] },
  "all of an administrator": { br: 60_000, gzip: 61_440, pages: ["now", "further"], texts: ["", "-admin"] },
  "all of a mailbox": { br: 36_000, gzip: 39_000, pages: ["me"], texts: ["", "-mailbox"] },
} as const;

describe("the build of the page", () => {
  let built: Built;
  before(async () => {
    built = await buildPrograms(CHECKOUT);
  });
  const names = (): readonly string[] => built.files.map(({ name }) => name);
  const textOf = (name: string): string => built.files.find((file) => file.name === name)?.text ?? assert.fail(name);
  const program = (start: string): string => {
    const found = names().filter((name) => new RegExp(`^dashboard/programs/${start}-[A-Z0-9]{8}\\.js$`).test(name));
    return found.length === 1 ? (found[0] ?? "") : assert.fail(`${start}: ${found.join(" ")}`);
  };
  /** With all that it imports before it runs. */
  const withImports = (name: string, known = new Set<string>()): ReadonlySet<string> => {
    known.add(name);
    for (const [, path = ""] of textOf(name).matchAll(/(?:from|import)"\.\/([\w-]+\.js)"/g)) {
      const imported = join("dashboard", "programs", path);
      if (!known.has(imported)) withImports(imported, known);
    }
    return known;
  };

  const sizes = new Map<string, Promise<number>>();
  const sizeOf = (name: string, coding: (typeof CODINGS)[number]): Promise<number> => {
    const known = sizes.get(`${name} ${coding}`);
    if (known !== undefined) return known;
    const size = encoded(new TextEncoder().encode(textOf(name)), coding).then(({ length }) => length);
    sizes.set(`${name} ${coding}`, size);
    return size;
  };

  test("loads within a second on a slow line, with a far smaller first part", async (t) => {
    for (const [what, { pages, texts, ...most }] of Object.entries(MOST_BYTES))
      for (const coding of CODINGS)
        for (const language of LANGUAGES) {
          const programs = ["app", ...pages, ...texts.map((part) => `${language}${part}`)];
          const files = new Set(programs.flatMap((one) => [...withImports(program(one))]));
          const parts = await Promise.all(["dashboard/style.css", ...files].map((name) => sizeOf(name, coding)));
          const bytes = parts.reduce((sum, size) => sum + size, 0);
          const says = `${what}, ${coding}, ${language}: ${bytes} bytes in ${files.size + 1} files, of ${most[coding]}`;
          t.diagnostic(says);
          assert.ok(bytes < most[coding], says);
        }
    const qr = await sizeOf(program("qr"), "gzip");
    assert.ok(qr < 4_000, `${qr} bytes draw a QR code`);
  });

  test("names each program after its contents, and only these", () => {
    const programs = names().filter((name) => name.startsWith("dashboard/programs/"));
    assert.ok(programs.length >= 11, programs.join(" "));
    for (const name of programs) assert.match(name, /-[A-Z0-9]{8}\.js$/);
    const asked = programs.flatMap((name) => [...textOf(name).matchAll(/["']\.\/([\w-]+\.js)["']/g)]);
    for (const [, name = ""] of asked) assert.ok(programs.includes(`dashboard/programs/${name}`), name);
  });

  test("starts with one script, and loads its imports in parallel", () => {
    const html = textOf("dashboard/index.html");
    const named = [...html.matchAll(/(?:href|src)="programs\/([\w-]+\.js)"/g)].map(([, name]) => name);
    const first = [...withImports(program("app"))].map((name) => basename(name));
    assert.deepEqual(new Set(named), new Set(first));
    assert.match(html, new RegExp(`<script type="module" src="programs/${basename(program("app"))}">`));
  });

  test("keeps the languages separate, and the texts of mailboxes from those of the administrator", () => {
    const programs = names().filter((name) => name.startsWith("dashboard/programs/"));
    for (const [text, home] of [
      ["Skip to content", "english"],
      ["Signing in", "english"],
      ["Ban expired", "english-admin"],
      ["Never spam", "english-mailbox"],
      ["Zum Inhalt", "german"],
      ["Sperre abgelehnt", "german-admin"],
      ["Nie Spam", "german-mailbox"],
    ] as const)
      for (const name of programs)
        assert.equal(textOf(name).includes(text), name === program(home), `${text}: ${name}`);
  });
});
