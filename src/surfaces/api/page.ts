import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import * as z from "zod";
import type { PageFile } from "./ports.ts";
import { problem } from "./problem.ts";
import { type Route, route } from "./route.ts";

/** The dashboard's files by path. They contain no data, so they are the same for everyone. The first is the page itself. */
export const PAGE_FILES = {
  "/": { file: "index.html", type: "text/html; charset=utf-8", says: "The dashboard and its sign-in." },
  "/style.css": { file: "style.css", type: "text/css; charset=utf-8", says: "The dashboard's style sheet." },
  "/icon.svg": { file: "icon.svg", type: "image/svg+xml", says: "The dashboard's icon." },
} as const;

/** The directory of the page's scripts and texts. The content of a name never changes, so browsers need not ask again. */
export const PAGE_PROGRAMS = { directory: "programs", type: "text/javascript; charset=utf-8" } as const;

/** Makes browsers ask each time whether a cached file has changed. */
const ASK_AGAIN = "no-cache";
const FOR_GOOD = "public, max-age=31536000, immutable";

const programInPath = z.object({ name: z.string().describe("The name by which the page or another script loads it.") });

export function pageRoutes(page: ReadonlyMap<string, PageFile>): readonly Route[] {
  /** Each encoding of a file is made at its first request. */
  const files = new Map<PageFile, Map<Encoding, ReturnType<typeof encoded>>>();
  const open = { who: "anyone", anyQuery: true } as const;

  async function send(name: string, cacheControl: string, asked: Headers): Promise<Response> {
    const file = page.get(name);
    if (file === undefined) return problem("not_found", "The dashboard has no such file.");
    const headers = { "content-type": file.type, "cache-control": cacheControl, vary: "accept-encoding" };
    const encoding = encodingFor(asked.get("accept-encoding"));
    if (encoding === null) return new Response(file.body, { headers });
    const made = files.getOrInsertComputed(file, () => new Map());
    const body = await made.getOrInsertComputed(encoding, () => encoded(file.body, encoding));
    return new Response(body, { headers: { ...headers, "content-encoding": encoding } });
  }

  const { directory, type: programType } = PAGE_PROGRAMS;
  return [
    ...Object.entries(PAGE_FILES).map(([path, { file, type, says }]) =>
      route(`GET ${path}`, { ...open, says, type, run: ({ headers }) => send(file, ASK_AGAIN, headers) }),
    ),
    route(`GET /${directory}/{name}`, {
      ...open,
      says: "One of the dashboard's scripts.",
      type: programType,
      params: programInPath,
      run: ({ params, headers }) => send(`${directory}/${params.name}`, FOR_GOOD, headers),
    }),
  ];
}

/** The better first. Browsers accept Brotli only over https and from this machine. */
const ENCODINGS = ["br", "gzip"] as const;
type Encoding = (typeof ENCODINGS)[number];

/** Maximum compression takes a quarter of a second for the page's largest file; each file is compressed once. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
const GZIP = { level: 9 };

/** The encoding that the client accepts (RFC 9110, 12.5.3); null: the file unchanged. The client's ranking is ignored. */
export function encodingFor(accepted: string | null): Encoding | null {
  const weights = new Map((accepted ?? "").split(",").map((one) => readCoding(one)));
  return ENCODINGS.find((name) => (weights.get(name) ?? weights.get("*") ?? 0) > 0) ?? null;
}

/** Compresses off the main thread. */
export async function encoded(body: Uint8Array<ArrayBuffer>, encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
  const made = encoding === "br" ? await promisify(brotliCompress)(body, BROTLI) : await promisify(gzip)(body, GZIP);
  return new Uint8Array(made);
}

/** `gzip;q=0.5`: its name and weight. */
function readCoding(text: string): readonly [string, number] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((one) => one.startsWith("q="));
  return [name, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
}
