import { problem } from "./problem.ts";
import type { Route } from "./route.ts";

/**
 * The request's body as the route expects it: JSON, or a form for the sign-in; undefined if none is expected. Whatever
 * the headers say, no more than the route's bound is read. Scripts often send JSON under another type, which is
 * accepted: cross-origin pages are refused by their origin, not by the type.
 */
export async function readBody(row: Route, request: Request): Promise<Readonly<{ value: unknown }> | Response> {
  if (row.schemas.body === undefined) return { value: undefined };
  const bytes = await readBounded(request, row.bodyBytes).catch(() => "broken" as const);
  if (bytes === "broken")
    return problem({ status: 400, code: "not_json", detail: "The connection ended within the body." });
  if (bytes === null)
    return problem({ status: 413, code: "body_too_large", detail: `The body has more than ${row.bodyBytes} bytes.` });
  const text = bytes.toString("utf8");
  if (isForm(request.headers) && row.form === true) return { value: Object.fromEntries(new URLSearchParams(text)) };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return problem({ status: 400, code: "not_json", detail: "The body is not JSON." });
  }
}

export function isForm(headers: Headers): boolean {
  return headers.get("content-type")?.toLowerCase().startsWith("application/x-www-form-urlencoded") ?? false;
}

async function readBounded(request: Request, mostBytes: number): Promise<Buffer | null> {
  if (Number(request.headers.get("content-length") ?? 0) > mostBytes) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = request.body ?? [];
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
