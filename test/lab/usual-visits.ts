import * as z from "zod/mini";
import { type VerbEntry, verbs } from "../../src/admin/declare/control.ts";
import type { HttpForm, Rights } from "../../src/admin/declare/verb.ts";
import { COMMANDS } from "../kit/commands.ts";
import { sampleOf } from "../kit/sample-of.ts";
import { ANNA } from "./mail.ts";
import type { Visit } from "./web-visits.ts";

const isObject = z.record(z.string(), z.unknown());

export const NOBODY = "nobody@example.test";
/** Lasting changes need the password again, which a token cannot give. */
export const UNPROVEN = { answers: 403, code: "proof_needed" } as const;

/** Requests to derived routes that are not `listed`, made of their commands' samples; those that read an account also ask for a missing one. */
export function usualVisits(listed: Readonly<Record<string, unknown>>): Readonly<Record<string, readonly Visit[]>> {
  const visits: Record<string, readonly Visit[]> = {};
  for (const entry of verbs.values()) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- results are not looked at
    const forms = entry.routes as unknown as readonly HttpForm<unknown>[];
    for (const form of forms) {
      const route = form.route.replace(" ", " /api/v1");
      if (!(route in listed)) visits[route] = visitsOf(entry, form, route);
    }
  }
  return visits;
}

function visitsOf(entry: VerbEntry, form: HttpForm<unknown>, route: string): readonly Visit[] {
  const [method, template = ""] = route.split(" ");
  const rights: Rights = entry.rights;
  const { named = {}, given = {}, fields = {}, own, status = 200 } = form;
  const isProven = own === true || !rights.from.includes("root");
  const answers = rights.proof === true && !isProven ? UNPROVEN : { answers: status };
  const sample = isObject.parse(JSON.parse(JSON.stringify(COMMANDS[entry.verb]).replaceAll(".org", ".test")));
  const inPath = new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  let path = template;
  const body: Record<string, unknown> = {};
  for (const field of Object.keys(entry.fields)) {
    if (field in given || (own === true && field === rights.user)) continue;
    const name = named[field] ?? field;
    const stricter = fields[field];
    const value: unknown = stricter === undefined ? sample[field] : sampleOf(stricter);
    if (inPath.delete(name)) path = path.replace(`{${name}}`, String(value));
    else body[name] = value;
  }
  if (method === "GET" || method === "DELETE") {
    const missing = { path: path.replace(ANNA, NOBODY), answers: 404, code: "not_found" };
    return [{ path, ...answers }, ...(method === "GET" && missing.path !== path ? [missing] : [])];
  }
  return [Object.keys(body).length === 0 ? { path, ...answers } : { path, body, ...answers }];
}
