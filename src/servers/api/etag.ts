import { createHash } from "node:crypto";

/**
 * The answer with its ETag; without its body, 304, if the caller has it already (RFC 9110, 13.1.2). The tag is a hash of the
 * body, so it reveals nothing and needs no memory.
 */
export async function withETag(answer: Response, headers: Headers): Promise<Response> {
  const body = new Uint8Array(await answer.arrayBuffer());
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  const tagged = new Headers(answer.headers);
  tagged.set("etag", tag);
  if (!isKnown(headers.get("if-none-match"), tag))
    return new Response(body, { status: answer.status, headers: tagged });
  for (const name of ["content-type", "content-length", "content-encoding"]) tagged.delete(name);
  return new Response(null, { status: 304, headers: tagged });
}

/** By the weak comparison (RFC 9110, 8.8.3.2): a proxy that compresses answers makes their tags weak. */
function isKnown(asked: string | null, tag: string): boolean {
  if (asked === null) return false;
  return asked.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === tag);
}
