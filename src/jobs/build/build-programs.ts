import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import type { BuildOptions, Metafile, Plugin } from "esbuild";
import { type Built, bundling, FOR_NODE, inAscii, type Make, sourcesOf } from "./bundle.ts";

const PROGRAMS = {
  guard: "src/programs/guard/main.ts",
  "guard-databases": "src/programs/guard/databases-main.ts",
  "stand-in": "src/programs/guard/stand-in-main.ts",
  web: "src/programs/web/main.ts",
  "web-lookups": "src/programs/web/lookups-main.ts",
  "web-passwords": "src/programs/web/passwords-main.ts",
  "web-trials": "src/programs/web/trials-main.ts",
  keeper: "src/programs/keeper/main.ts",
  "keeper-databases": "src/programs/keeper/databases-main.ts",
  maintenance: "src/programs/maintenance/main.ts",
  backup: "src/programs/backup/main.ts",
  report: "src/programs/report/main.ts",
  export: "src/programs/export/main.ts",
  check: "src/programs/check/main.ts",
};

/** The programs of the services, each in one file, and the script, styles and texts of the dashboard. */
export async function buildPrograms(checkout: string): Promise<Built> {
  return bundling(checkout, async (make) => {
    const [services, page] = await Promise.all([
      make({ ...FOR_NODE, entryPoints: entryPoints(checkout, PROGRAMS) }),
      buildPage(checkout, make),
    ]);
    const programs = forNode(checkout, services);
    return { files: [...programs.files, ...page.files], sources: [...programs.sources, ...page.sources] };
  });
}

/** The bundler and the mail sender. Programs kept in the checkout find these packages there, and most runs load neither. */
const LEFT_OUT = ["esbuild", "nodemailer"];
/** Two megabytes of words. */
const WORD_LISTS = ["@zxcvbn-ts/language-common", "@zxcvbn-ts/language-en"];
/** Each in a separate file, which is loaded when a password is judged. */
const WORDS_APART: Plugin = {
  name: "words-apart",
  setup(bundler) {
    bundler.onResolve({ filter: /^@zxcvbn-ts\/language-/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path: `./${basename(path)}.mjs`, external: true } : undefined,
    );
  },
};

/** Builds a program that is kept in the checkout. `program`: its source by its name. */
export async function buildOne(checkout: string, program: Readonly<Record<string, string>>): Promise<Built> {
  return bundling(checkout, async (make) => {
    const one = { ...FOR_NODE, outExtension: { ".js": ".mjs" }, external: LEFT_OUT };
    const words = Object.fromEntries(WORD_LISTS.map((name) => [basename(name), name]));
    const made = await make({
      ...one,
      entryPoints: { ...entryPoints(checkout, program), ...words },
      plugins: [...FOR_NODE.plugins, WORDS_APART],
    });
    return forNode(checkout, made);
  });
}

function forNode(checkout: string, { outputFiles, metafile }: Awaited<ReturnType<Make>>): Built {
  const files = outputFiles.map(({ path, text }) => ({ name: path.slice(1), text: inAscii(text) }));
  return { files, sources: sourcesOf(checkout, metafile) };
}

function entryPoints(checkout: string, paths: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, join(checkout, path)]));
}

/** Below the directory of the programs. */
const FOLDER = "/dashboard";
const PAGE_PROGRAMS = `${FOLDER}/programs`;
const LANGUAGES = ["english", "german"];
/** The pages with separate texts, in addition to those of every page. */
const PARTS = ["", "-admin", "-mailbox"];
/** Browsers keep a file of this name forever, so different content needs a different name. */
const NAMES = "[name]-[hash]";
const FOR_PAGE: BuildOptions = { minify: true, target: "es2023" };

const PAGES = /\/pages\/(now\.tsx|me\.tsx|further\.ts)$/;
/** Makes each of these import the frame of the page, so that esbuild puts the frame into one file with the code that they all share. */
const FRAME_IN_ALL: Plugin = {
  name: "frame-in-all",
  setup(bundler) {
    bundler.onLoad({ filter: PAGES }, ({ path }) => ({
      contents: `import "../app.tsx";\n${readFileSync(path, "utf8")}`,
      loader: extname(path) === ".tsx" ? "tsx" : "ts",
    }));
  },
};

/** Builds the page as the web serves it: its HTML, its styles, and its programs, which it loads as it needs them. */
async function buildPage(checkout: string, make: Make): Promise<Built> {
  const folder = join(checkout, "dashboard");
  const style = { ...FOR_PAGE, entryPoints: [join(folder, "style.css")], outdir: FOLDER };
  const [texts, styles] = await Promise.all([make(textsOf(folder)), make(style)]);
  const page = await make(programsOf(folder, textsApart(texts.metafile)));
  const index = join(folder, "index.html");
  const html = { path: `${FOLDER}/index.html`, text: naming(readFileSync(index, "utf8"), page.metafile) };
  const made = [texts, styles, page];
  return {
    files: [html, ...made.flatMap((one) => one.outputFiles)].map(({ path, text }) => ({ name: path.slice(1), text })),
    // esbuild does not know the HTML.
    sources: [...made.flatMap(({ metafile }) => sourcesOf(checkout, metafile)), index],
  };
}

/** Without code splitting, esbuild omits from each what only the other language needs. */
function textsOf(folder: string): BuildOptions {
  const names = LANGUAGES.flatMap((language) => PARTS.map((part) => `${language}${part}.ts`));
  const entryPoints = names.map((name) => join(folder, "texts", name));
  return { ...FOR_PAGE, entryPoints, outdir: PAGE_PROGRAMS, entryNames: NAMES };
}

function programsOf(folder: string, plugin: Plugin): BuildOptions {
  return {
    ...FOR_PAGE,
    entryPoints: [join(folder, "app.tsx")],
    outdir: PAGE_PROGRAMS,
    entryNames: NAMES,
    chunkNames: NAMES,
    splitting: true,
    // Calls of `h` make a smaller program than those of the JSX runtime that the type checker uses.
    tsconfigRaw: { compilerOptions: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Fragment" } },
    inject: [join(folder, "jsx.ts")],
    plugins: [plugin, FRAME_IN_ALL],
  };
}

/** The texts of each language are separate programs, which the page loads for that language. */
function textsApart(made: Metafile): Plugin {
  const byName = new Map(entriesOf(made).map(({ source, name }) => [basename(source), name]));
  return {
    name: "texts-apart",
    setup(bundler) {
      bundler.onResolve({ filter: /\/texts\/[\w-]+\.ts$/ }, ({ path, kind }) => {
        const name = kind === "dynamic-import" ? byName.get(basename(path)) : undefined;
        return name === undefined ? undefined : { path: `./${name}`, external: true };
      });
    },
  };
}

/** Names the page's first program, and its imports, so that a browser loads them in parallel. */
function naming(html: string, made: Metafile): string {
  const entry = entriesOf(made).find(({ source }) => basename(source) === "app.tsx");
  const beside = entry?.imports.map((name) => `<link rel="modulepreload" href="programs/${name}" />\n    `) ?? [];
  return html.replace(
    '<script type="module" src="app.js">',
    `${beside.join("")}<script type="module" src="programs/${entry?.name ?? ""}">`,
  );
}

/** `imports`: those of import statements, which load before the program runs. */
function entriesOf({ outputs }: Metafile) {
  return Object.entries(outputs).flatMap(([path, { entryPoint, imports }]) =>
    entryPoint === undefined
      ? []
      : [
          {
            source: entryPoint,
            name: basename(path),
            imports: imports.filter(({ kind }) => kind === "import-statement").map((one) => basename(one.path)),
          },
        ],
  );
}
