import { PAGE } from "../../../../admin/declare/paging.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { madePassword } from "../../../../guard/access/secrets.ts";
import { hashPassword } from "../../../../store/passwords/password-hash.ts";
import type { CommandCall, CommandFailure, Reader } from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import { factorsRemoved } from "../accounts/access.ts";

/** The result of a measure; a part of it may fail. `printed`: secrets that are shown once and kept nowhere. */
export type Came = Readonly<{ did: readonly string[]; wrong: readonly string[]; printed?: string }>;
/** One thing to do, and what it is; an empty plan: nothing as far as is known. */
export type Deed = Readonly<{ plan: string; run: () => Promise<Came> }>;

export function newDashboardPassword(call: CommandCall): Deed {
  const plan = "Set a new password of the dashboard, and remove its second factors and passkeys.";
  return {
    plan,
    run: async () => {
      const changed = await changeDashboardPassword(call, plan);
      // After the password: an intruder could have set up a second factor, and sessions end with it.
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
  if (asked.ok) return { ...took("The dashboard's password was changed."), printed: `dashboard  ${password}` };
  const wrong = [notDone(plan, asked)];
  return mayStand(asked)
    ? { did: [], wrong, printed: `dashboard  ${password}  (it may be in force: see above)` }
    : { did: [], wrong };
}

/**
 * Revokes what the guard lists until it lists none: a token that is made in between is revoked too. It ends, because a caller may
 * make only a bounded number.
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
        const left = listed.result.items.filter(({ name }) => !wrong.has(name));
        if (left.length === 0) break;
        for (const { name } of left) {
          const asked = await call.guard.ask<"token_revoke">({ verb: "token_revoke", name });
          if (asked.ok) did.push(`The API token ${name} is revoked.`);
          else wrong.set(name, notDone(`Revoke the API token ${name}.`, asked));
        }
      }
      return { did: did.length + wrong.size === 0 ? ["No API token existed."] : did, wrong: [...wrong.values()] };
    },
  };
}

/** After the new password: who is in could send its mail on again. So it is looked at once more then. */
export function endForwarding(call: CommandCall, reader: Reader, name: AccountName): Deed {
  const targets = (): string => (reader.forwarding(name)?.to ?? []).join(", ");
  const known = targets();
  const plan = known === "" ? "" : `Send mail for ${name} no longer on to ${known}.`;
  return {
    plan,
    run: async () => {
      const was = targets();
      if (was === "") return { did: [], wrong: [] };
      const asked = await call.guard.ask<"forward_set">({ verb: "forward_set", name, to: [], keep: true });
      return asked.ok
        ? took(`Mail for ${name} is no longer forwarded to ${was}.`)
        : { did: [], wrong: [notDone(`Send mail for ${name} no longer on to ${was}.`, asked)] };
    },
  };
}

/** A thief may have written the reply, to whoever writes to the account. */
export function endVacation(call: CommandCall, reader: Reader, name: AccountName): Deed {
  const plan = reader.vacation(name) === null ? "" : `End the vacation reply of ${name}.`;
  return {
    plan,
    run: async () => {
      const was = reader.vacation(name);
      if (was === null) return { did: [], wrong: [] };
      const none = { subject: "", text: null, until: null };
      const asked = await call.guard.ask<"vacation_set">({ verb: "vacation_set", name, ...none });
      return asked.ok
        ? took(`The vacation reply of ${name} is ended. It was: ${oneLine(`${was.subject} ${was.text}`.trim())}`)
        : { did: [], wrong: [notDone(`End the vacation reply of ${name}.`, asked)] };
    },
  };
}

/** A command that failed may be done in part, unless it was not received or its grammar was wrong. */
export function mayStand({ exit }: CommandFailure): boolean {
  return exit === "failed";
}

export function notDone(plan: string, { message }: CommandFailure): string {
  return `${plan} Failed: ${message}`;
}

export function took(says: string): Came {
  return { did: [says], wrong: [] };
}
