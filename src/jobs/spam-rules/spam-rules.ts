import { join } from "node:path";
import * as z from "zod/mini";
import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import { messageOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import type { Clock, Failed } from "../../guard/ports.ts";
import { lastLines, runAsOther } from "../../host/machine/run-program.ts";
import { recordIn } from "../../host/root-files/record-file.ts";
import { reloadService } from "../../mail/configuration/parts.ts";
import { NOTHING_NEW, UPDATE_RULES, UPDATED } from "../../mail/spamassassin/spamassassin-conf.ts";
import { CONTENT_USERS, type Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { oneAtATime } from "../job.ts";

type RulesSettings = Pick<Settings, "spam.enabled" | "spam.updates">;
export type FetchedRules = Readonly<{ ok: true; version: string; isNew: boolean }> | Failed;

const schema = z.object({
  /** Since when rules are fetched. */
  since: z.number(),
  triedAt: z.number(),
  /** When the channel was last queried successfully, and the version in use then. */
  last: z.nullable(z.object({ at: z.number(), version: z.string() })),
  failure: z.nullable(z.string()),
});
/** The result of fetching rules, as in `report/rules.json`. */
export type RulesRecord = Readonly<z.output<typeof schema>>;

const NOTHING: RulesRecord = { since: 0, triedAt: 0, last: null, failure: null };
/** A server that has just started has more important work. */
const FIRST_AFTER_MS = HOUR_MS;
const OLD_MS = 7 * DAY_MS;
const FETCH_MS = 10 * MINUTE_MS;
const SHOWN = 300;

/** A record that this user cannot read counts as empty. */
export const { read: readRulesRecord, change: changeRulesRecord } = recordIn("spamRulesRecord", schema, NOTHING);

/** Fetches rules now, and notes the result. Unsigned or faulty ones are not used. */
export async function fetchRules(layout: Layout, now: number): Promise<FetchedRules> {
  const user = CONTENT_USERS.spamd;
  const unprivileged = ["--reuid", user, "--regid", user, "--clear-groups", "--bounding-set=-all", "--no-new-privs"];
  const program = ["sh", join(layout.spamAssassinConf, UPDATE_RULES)];
  const ran = await runAsOther([...unprivileged, ...program], { timeoutMs: FETCH_MS });
  const said = printable(ran.stdout.trim().split("\n").at(-1) ?? "", SHOWN);
  const isDone = ran.code === UPDATED || ran.code === NOTHING_NEW;
  const refused = ran.code === UPDATED ? await reloadService("spamd", layout) : null;
  if (!isDone || refused !== null) {
    const reason = refused ?? (said || printable(lastLines(ran, 1), SHOWN));
    changeRulesRecord(layout, { triedAt: now, failure: reason });
    return { ok: false, reason };
  }
  changeRulesRecord(layout, { triedAt: now, last: { at: now, version: said }, failure: null });
  return { ok: true, version: said, isNew: ran.code === UPDATED };
}

/** Fetches rules once a day, and reports if that has failed for a week. */
export function createRulesJob(layout: Layout, clock: Clock, settings: () => RulesSettings | null, fetch = fetchRules) {
  const isOn = (): boolean => {
    const inForce = settings();
    return inForce?.["spam.enabled"] === true && inForce["spam.updates"];
  };

  /** The last try, in memory because the disk may not be able to store it: otherwise rules would be fetched each minute. */
  let triedHere = 0;

  /** Never rejects. */
  async function fetchAt(now: number): Promise<void> {
    triedHere = now;
    try {
      const fetched = await fetch(layout, now);
      if (!fetched.ok) console.error(`keeper: the spam filter's rules could not be updated: ${fetched.reason}`);
    } catch (error) {
      console.error(`keeper: the update of the spam filter's rules failed: ${messageOf(error)}`);
    }
  }

  return {
    look: oneAtATime(clock, settings, (_, now) => {
      if (!isOn()) return null;
      const { since, triedAt: noted } = readRulesRecord(layout);
      if (since === 0 || since > now) {
        changeRulesRecord(layout, { since: now });
        return null;
      }
      const triedAt = Math.max(noted, triedHere);
      const isDue = triedAt > now || now - Math.max(triedAt, since - DAY_MS + FIRST_AFTER_MS) >= DAY_MS;
      return isDue ? fetchAt(now) : null;
    }),
    troubles: (): readonly KeeperTrouble[] => {
      if (!isOn()) return [];
      const { since, last, failure } = readRulesRecord(layout);
      if (failure === null || clock.now() - (last?.at ?? since) < OLD_MS) return [];
      return [{ code: "spam_rules_old", detail: failure }];
    },
  };
}
