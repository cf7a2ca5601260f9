import { hashPassword } from "../../adapters/accounts/password-hash.ts";
import { madePassword } from "../../engine/access/made-password.ts";
import { PAGE } from "../../wire/control/paging.ts";
import type { CommandCall, CommandFailure } from "../call.ts";
import { factorsRemoved } from "./second-factors.ts";

/** What came of a measure; a part of it may fail. `printed`: what is shown once and kept nowhere. */
export type Came = Readonly<{ did: readonly string[]; wrong: readonly string[]; printed?: string }>;
/** One thing to do, and what it is. */
export type Deed = Readonly<{ plan: string; run: () => Promise<Came> }>;

export function newDashboardPassword(call: CommandCall): Deed {
  const plan = "Set a new password of the dashboard, and remove its second factors and passkeys.";
  return {
    plan,
    run: async () => {
      const changed = await changeDashboardPassword(call, plan);
      // After the password: who is in could have set up a factor of their own, and sessions end with it.
      const reset = await call.guard.ask<"factors_reset">({ verb: "factors_reset" });
      if (!reset.ok)
        return { ...changed, wrong: [...changed.wrong, notDone("Remove the second factors of the dashboard.", reset)] };
      return { ...changed, did: [...changed.did, factorsRemoved(reset.result)] };
    },
  };
}

async function changeDashboardPassword(call: CommandCall, plan: string): Promise<Came> {
  const password = madePassword();
  const asked = await call.guard.ask<"admin_passwd">({ verb: "admin_passwd", hash: await hashPassword(password) });
  if (asked.ok) return { ...took("The dashboard has a new password."), printed: `dashboard  ${password}` };
  const wrong = [notDone(plan, asked)];
  return mayStand(asked)
    ? { did: [], wrong, printed: `dashboard  ${password}  (it may be in force: see above)` }
    : { did: [], wrong };
}

/**
 * Revokes what the guard lists until it lists none: a token that is made meanwhile goes too. It ends, because whoever makes them
 * may make only so many.
 */
export function revokeTokens(call: CommandCall): Deed {
  const plan = "Revoke every API token.";
  return {
    plan,
    run: async () => {
      const did: string[] = [];
      const wrong = new Map<string, string>();
      while (true) {
        const listed = await call.guard.ask<"token_list">({ verb: "token_list", limit: PAGE.most, cursor: null });
        if (!listed.ok) return { did, wrong: [...wrong.values(), notDone(plan, listed)] };
        const left = listed.result.tokens.filter(({ name }) => !wrong.has(name));
        if (left.length === 0) break;
        for (const { name } of left) {
          const asked = await call.guard.ask<"token_revoke">({ verb: "token_revoke", name });
          if (asked.ok) did.push(`The API token ${name} is revoked.`);
          else wrong.set(name, notDone(`Revoke the API token ${name}.`, asked));
        }
      }
      return { did: did.length + wrong.size === 0 ? ["There was no API token."] : did, wrong: [...wrong.values()] };
    },
  };
}

/** A command that failed may be done in part, unless nobody took it or its grammar was wrong. */
export function mayStand({ exit }: CommandFailure): boolean {
  return exit === "failed";
}

export function notDone(plan: string, { message }: CommandFailure): string {
  return `${plan} Failed: ${message}`;
}

export function took(says: string): Came {
  return { did: [says], wrong: [] };
}
