import * as z from "zod";
import { MOST_CHANGES } from "../../../admin/declare/settings-items.ts";

/** What the routes of settings-routes.ts take and answer, for the router and for `/openapi.json`. */

const time = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC.");
const count = z.number().int();
const toml = z.string().describe("As written in ghostinbox.toml.");
const digest = z.string().regex(/^[0-9a-f]{64}$/, "is not the digest of a list or a preview");
const keys = z.array(z.string());
const FORMS = ["switch", "number", "decimal", "duration", "size", "choice", "text", "list"] as const;

const item = z.string("is not a value of a setting").max(200, "has more than 200 characters");
const value = z
  .union([z.number(), z.boolean(), item, z.array(z.union([z.number(), item])).max(1_000), z.null()])
  .describe("The value as in the file; null: the default again.");
const changes = z
  .record(z.string().max(64), value, "is missing, or no object of settings")
  .refine((given) => Object.keys(given).length > 0, "is empty")
  .refine((given) => Object.keys(given).length <= MOST_CHANGES, `has more than ${MOST_CHANGES} settings`)
  .describe("Values by the names of settings.");

export const previewRequest = z.strictObject({ changes });
export const applyRequest = z.strictObject({
  changes,
  digest: digest.describe("That of the preview: the file must be unchanged since."),
});
export const undoRequest = z.strictObject({
  digest: digest.describe("That of the list which showed the change: the file must be unchanged since."),
});

export const settingList = z.object({
  items: z.array(
    z.object({
      key: z.string(),
      value: toml.describe("As the server uses it, as written in ghostinbox.toml."),
      isHidden: z.boolean().describe("The value is not shown: a secret, or a text that could lead to one."),
      inFile: toml.nullable().describe("The value in the file, if it is not applied yet."),
      from: z.string().describe("`default`, `profile small`, `file`, or the environment variable."),
      line: count.nullable().describe("Its line in the file."),
      default: toml,
      says: z.string(),
      takes: z.string(),
      form: z.object({
        type: z.enum(FORMS),
        least: z.string().nullable(),
        most: z.string().nullable(),
        choices: z.array(z.string()),
        of: z.enum(FORMS).nullable().describe("Of a list: of what."),
      }),
      whyNot: z.string().nullable().describe("Why it cannot be changed here; null: it can."),
    }),
  ),
  digest,
  undo: z
    .object({ until: time, keys, by: z.string() })
    .nullable()
    .describe("The last change over the web, while it can be undone."),
});

const address = z.object({ ip: z.string(), bans: count, reason: z.string().nullable(), firstAt: time });
const account = z.object({ account: z.string(), ip: z.string(), events: count, reason: z.string().nullable() });
const listed = <S extends z.ZodType>(of: S) => z.object({ total: count, items: z.array(of).describe("At most 20.") });

export const preview = z.object({
  problems: z.array(z.object({ key: z.string(), says: z.string() })).describe("With any, all else is empty."),
  lines: z.array(
    z.object({
      key: z.string(),
      line: count.nullable(),
      removed: z.array(z.string()),
      added: z.array(z.string()),
    }),
  ),
  values: z.array(z.object({ key: z.string(), was: toml, is: toml })),
  restarts: z.array(z.string()).describe("Programs that start again with them."),
  warnings: z.array(z.string()),
  digest,
  trial: z
    .object({
      outcome: z.enum(["done", "too_long", "busy"]),
      events: count,
      from: time.nullable(),
      to: time.nullable(),
      cut: z.boolean().describe("There were more events: the oldest of the last days were skipped."),
      banned: listed(address).describe("Who would have been banned, and was not."),
      notBanned: listed(address).describe("Who was banned, and would not have been."),
      accounts: listed(account).describe(
        "Accounts of this server that would have been refused or delayed, and were not.",
      ),
    })
    .nullable()
    .describe("What the last 7 days would have been with these limits; null: they change no decision."),
});

export const changed = z.object({
  changed: keys,
  detail: z.string().describe("What was reloaded."),
  restarts: z.array(z.string()),
  undoUntil: time.nullable(),
  recorded: z.boolean().describe("False: it is in force, but the database could not keep a record of it."),
});
