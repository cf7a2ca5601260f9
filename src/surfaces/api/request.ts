import { $ZodArray, $ZodObject, $ZodOptional } from "zod/v4/core";
import { effectOf, hasDryRun } from "../../admin/declare/control.ts";
import { parseJson } from "../../core/text.ts";
import { problem } from "./problem.ts";
import type { Route, Schema } from "./route.ts";

export const DRY_RUN = "dry_run";
type Read = Readonly<{ value: Readonly<Record<string, string | readonly string[]>>; isDry: boolean }>;

/**
 * Parses the query. Refuses unknown parameters, because a script that misspells a filter would get unfiltered results. Also refuses
 * repeated ones, except in lists. A route with `anyQuery` ignores unknown ones, but not a dry run that it does not support.
 */
export function readQuery(row: Route, url: string): Read | Response {
  const given = new URL(url).searchParams;
  const { [DRY_RUN]: dry = "false", ...single } = Object.fromEntries(given);
  const shape: Readonly<Record<string, Schema>> =
    row.schemas.query instanceof $ZodObject ? row.schemas.query._zod.def.shape : {};
  const own = Object.keys(shape);
  const lists = own.filter((name) => isList(shape[name]));
  const known = [...own, ...(mayBeDry(row) ? [DRY_RUN] : [])];
  const mayIgnore = (name: string): boolean => row.anyQuery === true && name !== DRY_RUN;
  const unknown = given.keys().find((name) => !known.includes(name) && !mayIgnore(name));
  if (unknown === DRY_RUN && row.method !== "GET") return dryRunRefused(row);
  if (unknown !== undefined) return refused(`Unknown parameter ${safeName(unknown)}`, known);
  const twice = known.find((name) => !lists.includes(name) && given.getAll(name).length > 1);
  if (twice !== undefined) return refused(`${twice} is given more than once`, known);
  if (dry !== "true" && dry !== "false") return refused(`${DRY_RUN} is neither true nor false`, known);
  const listed = lists.filter((name) => given.has(name)).map((name) => [name, given.getAll(name)] as const);
  return { value: { ...single, ...Object.fromEntries(listed) }, isDry: dry === "true" };
}

function isList(field: Schema | undefined): boolean {
  return field instanceof $ZodArray || (field instanceof $ZodOptional && isList(field._zod.def.innerType));
}

/** Not for mailbox users: their dry runs are not counted, and could probe which addresses exist, for example by a forward. */
export function mayBeDry({ asks, method, needs }: Pick<Route, "asks" | "method" | "needs">): boolean {
  return method !== "GET" && needs !== "mailbox" && asks !== undefined && hasDryRun({ verb: asks });
}

/** Refuses the request, because ignoring the parameter would make a change that was not requested. */
function dryRunRefused({ asks, needs }: Pick<Route, "asks" | "needs">): Response {
  const why = asks === undefined ? undefined : effectOf(asks).dryRun;
  const ofMailbox = needs === "mailbox" ? " A change that users make to their mailbox has no dry run." : "";
  const reason = typeof why === "string" ? ` ${why}` : ofMailbox;
  const detail = `${DRY_RUN} is not supported here: this cannot be tried without carrying it out.${reason}`;
  return problem("invalid_request", detail, { next: `Leave ${DRY_RUN} out to carry it out.` });
}

const NAME_CHARACTERS = 40;

function safeName(name: string): string {
  const safe = name.replaceAll(/[^\w.-]/g, "?");
  return safe.length > NAME_CHARACTERS ? `${safe.slice(0, NAME_CHARACTERS)}…` : safe;
}

function refused(fault: string, known: readonly string[]): Response {
  const next = known.length === 0 ? "This route takes none." : `This route takes ${known.join(", ")}.`;
  return problem("invalid_request", `${fault}.`, { next });
}

/** An empty body, or the empty object that the dashboard and others send to any route. */
const NO_BODY = /^\s*(?:\{\s*\}\s*)?$/;
const NO_BODY_BYTES = 16;

/**
 * The request's body, which is JSON; undefined if the route expects none. Reads no more than the route's bound, whatever the headers
 * say. Ignores the content type, which scripts often get wrong: cross-origin pages are refused by their origin.
 */
export async function readBody(row: Route, request: Request): Promise<Readonly<{ value: unknown }> | Response> {
  const isExpected = row.schemas.body !== undefined;
  if (!isExpected && row.method === "GET") return { value: undefined };
  const mostBytes = isExpected ? row.bodyBytes : NO_BODY_BYTES;
  const bytes = await readBounded(request, mostBytes).catch(() => "broken" as const);
  if (bytes === "broken") return problem("not_json", "The connection ended within the body.");
  if (!isExpected)
    return bytes !== null && NO_BODY.test(bytes.toString("utf8"))
      ? { value: undefined }
      : problem("invalid_request", "This route takes no body.");
  if (bytes === null) return problem("body_too_large", `The body has more than ${row.bodyBytes} bytes.`);
  const value = parseJson(bytes.toString("utf8"));
  return value === undefined ? problem("not_json", "The body is not JSON.") : { value };
}

async function readBounded(request: Request, mostBytes: number): Promise<Buffer | null> {
  if (Number(request.headers.get("content-length") ?? 0) > mostBytes) return null;
  // Copies into one buffer: the chunks of a body sent byte by byte would take 200 times its size.
  const bytes = Buffer.alloc(mostBytes);
  let size = 0;
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = request.body ?? [];
  for await (const chunk of body) {
    if (size + chunk.length > mostBytes) return null;
    bytes.set(chunk, size);
    size += chunk.length;
  }
  return bytes.subarray(0, size);
}
