import * as z from "zod/mini";
import { type Prefix, parsePrefix } from "../net/ip.ts";

/** What an isolated server does not do, in the order in which it is lifted. */
export const SHUT = ["receive", "sign-in", "send"] as const;
/** `receive`: mail from others; `sign-in`: mailboxes, submission and the dashboard; `send`: mail to others. */
export type Shut = (typeof SHUT)[number];

/** While there is one, the world is locked out. */
export type Isolation = Readonly<{
  incident: string;
  /** ISO 8601, UTC. */
  since: string;
  /** Who still reaches everything: administrators. */
  allow: readonly Prefix[];
  /** Ports of SSH that stay open for all, so that a wrong address shuts no owner out. */
  ssh: readonly number[];
  /** What has not been lifted yet; never empty. */
  shut: readonly Shut[];
}>;

const schema = z.object({
  incident: z.string(),
  since: z.string(),
  allow: z.array(z.string()),
  ssh: z.array(z.int().check(z.gte(1), z.lte(65_535))),
  shut: z.array(z.enum(SHUT)).check(z.minLength(1)),
});

/** Null for any other text. */
export function parseIsolation(text: string): Isolation | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const read = z.safeParse(schema, json);
  if (!read.success) return null;
  const allow = read.data.allow.flatMap((each) => parsePrefix(each) ?? []);
  return allow.length === read.data.allow.length ? { ...read.data, allow } : null;
}

/** Null once nothing is left to lift. */
export function lifted(isolation: Isolation, parts: readonly Shut[]): Isolation | null {
  const shut = isolation.shut.filter((part) => !parts.includes(part));
  return shut.length === 0 ? null : { ...isolation, shut };
}
