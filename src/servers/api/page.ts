import { type Encoding, encoded, encodingFor } from "./encodings.ts";
import type { PageFile } from "./ports.ts";
import { problem } from "./problem.ts";
import { type Route, route } from "./route.ts";

/**
 * The dashboard's files by path. They contain no data, so they are the same for everyone. The first is the page itself.
 */
export const PAGE_FILES = {
  "/": { file: "index.html", type: "text/html; charset=utf-8", says: "The dashboard and its sign-in." },
  "/app.js": { file: "app.js", type: "text/javascript; charset=utf-8", says: "The dashboard's program." },
  "/english.js": { file: "english.js", type: "text/javascript; charset=utf-8", says: "The dashboard's English texts." },
  "/german.js": { file: "german.js", type: "text/javascript; charset=utf-8", says: "The dashboard's German texts." },
  "/style.css": { file: "style.css", type: "text/css; charset=utf-8", says: "The dashboard's looks." },
  "/icon.svg": { file: "icon.svg", type: "image/svg+xml", says: "The dashboard's icon." },
} as const;

export function pageRoutes(page: ReadonlyMap<string, PageFile>): readonly Route[] {
  const files = new EncodedFiles();
  return Object.entries(PAGE_FILES).map(([path, { type, says, file }]) =>
    route({
      method: "GET",
      path,
      who: "anyone",
      bodyBytes: 0,
      anyQuery: true,
      type,
      says,
      run: ({ headers }) => fileAnswer(page.get(file), files, headers),
    }),
  );
}

async function fileAnswer(file: PageFile | undefined, files: EncodedFiles, asked: Headers): Promise<Response> {
  if (file === undefined)
    return problem({ status: 404, code: "not_found", detail: "The dashboard was not installed." });
  const headers = { "content-type": file.type, "cache-control": "no-cache", vary: "accept-encoding" };
  const encoding = encodingFor(asked.get("accept-encoding"));
  if (encoding === null) return new Response(file.body, { headers });
  return new Response(await files.get(file, encoding), { headers: { ...headers, "content-encoding": encoding } });
}

/** Each file in each coding is made when it is first asked for. */
class EncodedFiles {
  readonly #made = new Map<PageFile, Map<Encoding, Promise<Uint8Array<ArrayBuffer>>>>();

  get(file: PageFile, encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#made.get(file) ?? new Map<Encoding, Promise<Uint8Array<ArrayBuffer>>>();
    const body = known.get(encoding) ?? encoded(file.body, encoding);
    this.#made.set(file, known.set(encoding, body));
    return body;
  }
}
