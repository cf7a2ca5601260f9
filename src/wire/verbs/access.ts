import * as z from "zod/mini";
import { printScopes, SCOPES } from "../../core/access/scopes.ts";
import { dayAndTime } from "../../core/shown.ts";
import { answers, changes, reads } from "../control/effects.ts";
import { text } from "../control/fields.ts";
import { ADMIN, PROVEN_ADMIN } from "../control/verb-rights.ts";
import { count, list, meaning, page, pageOf, sessionId, time, tokenName } from "./kinds.ts";
import { verb } from "./verb.ts";

/** Sessions of the dashboard, and tokens. */

export const sessionFacts = () => ({
  id: z.string(),
  device: meaning(z.string(), "As the browser describes itself."),
  ip: z.string(),
  startedAt: time,
  usedAt: meaning(time, "To the minute."),
  isOwn: meaning(z.boolean(), "The session that asks."),
});
const session = () =>
  z.object({
    ...sessionFacts(),
    account: meaning(z.nullable(z.string()), "The mailbox; null: the administrator's."),
  });
const sessions = answers(() => pageOf(session()));
const ended = answers(() => z.object({ ended: count }));

const token = () =>
  z.object({
    name: z.string(),
    scopes: list(z.array(z.enum(SCOPES))),
    createdAt: time,
    createdBy: z.string(),
    expiresAt: meaning(z.nullable(time), "Null: it does not expire."),
    usedAt: meaning(z.nullable(time), "To the minute; null: not yet."),
  });
export type TokenItem = Readonly<z.output<ReturnType<typeof token>>>;
const tokens = answers(() => pageOf(token()));
const ofToken = { name: meaning(tokenName, "The token's name.") };
const named = answers(() => z.object({ name: z.string() }));

export const ACCESS = [
  verb("session_list", ADMIN, page(), reads(sessions))
    .http(
      "GET /sessions",
      "The sessions that are valid, the administrator's first, then those of mailboxes, the latest used one first.",
    )
    .cli("session list", "List the sessions of the dashboard, the administrator's and those of mailboxes.", {
      table: {
        things: "sessions",
        member: "sessions",
        head: ["SESSION", "OF", "USED", "SINCE", "FROM", "DEVICE"],
        row: (one) => [
          one.id,
          one.account ?? "the administrator",
          dayAndTime(one.usedAt),
          dayAndTime(one.startedAt),
          one.ip,
          one.device,
        ],
        none: "Nobody is signed in to the dashboard.",
        next: "session end SESSION  # or --all",
      },
    }),
  verb("session_end", PROVEN_ADMIN, { id: text(32) }, changes(ended, "access")).http(
    "DELETE /sessions/{id}",
    "Ends a session, of the administrator or of a mailbox. Needs a fresh proof.",
    { fields: { id: meaning(sessionId, "As in the list of sessions.") } },
  ),
  /** All but the caller's own. */
  verb("session_end_all", PROVEN_ADMIN, {}, changes(ended, "access")).http(
    "DELETE /sessions",
    "Ends all sessions of the administrator but the caller's own. Needs a fresh proof.",
  ),
  verb("token_list", ADMIN, page(), reads(tokens))
    .http("GET /tokens", "The tokens by name, a page at a time; never the tokens themselves.")
    .cli("token list", "List the tokens.", {
      table: {
        things: "tokens",
        head: ["TOKEN", "SCOPES", "EXPIRES", "USED", "CREATED", "BY"],
        row: (one) => [
          one.name,
          // A word that stands out, for a token that may give others access.
          SCOPES.every((scope) => one.scopes.includes(scope)) ? "everything" : printScopes(one.scopes),
          one.expiresAt === null ? "never" : dayAndTime(one.expiresAt),
          one.usedAt === null ? "never" : dayAndTime(one.usedAt),
          dayAndTime(one.createdAt),
          one.createdBy,
        ],
        none: "There is no token.",
        first: "token create NAME",
      },
    }),
  verb("token_revoke", PROVEN_ADMIN, ofToken, changes(named, "access"))
    .http("DELETE /tokens/{name}", "Revokes a token. Needs a fresh proof.")
    .cli("token revoke NAME", "Revoke a token.", {
      words: ["name"],
      done: ({ name }) => `The token ${name} is no longer valid.`,
      next: "token list",
    }),
] as const;
