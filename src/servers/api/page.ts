import type { PageFile } from "./ports.ts";
import { problem } from "./problem.ts";
import { type Route, route } from "./route.ts";

/**
 * The dashboard's files by path. They contain no data, so they are the same for everyone. The first is the page itself.
 */
export const PAGE_FILES = {
  "/": { file: "index.html", type: "text/html; charset=utf-8", says: "The dashboard and its sign-in." },
  "/app.js": { file: "app.js", type: "text/javascript; charset=utf-8", says: "The dashboard's program." },
  "/style.css": { file: "style.css", type: "text/css; charset=utf-8", says: "The dashboard's looks." },
  "/icon.svg": { file: "icon.svg", type: "image/svg+xml", says: "The dashboard's icon." },
} as const;

export function pageRoutes(page: ReadonlyMap<string, PageFile>): readonly Route[] {
  return Object.entries(PAGE_FILES).map(([path, { type, says, file }]) =>
    route({
      method: "GET",
      path,
      who: "anyone",
      bodyBytes: 0,
      type,
      says,
      run: () => fileAnswer(page.get(file)),
    }),
  );
}

function fileAnswer(file: PageFile | undefined): Response {
  if (file === undefined)
    return problem({ status: 404, code: "not_found", detail: "The dashboard was not installed." });
  return new Response(file.body, { headers: { "content-type": file.type, "cache-control": "no-cache" } });
}
