import { factorsRemoved } from "../../../../admin/access.ts";
import { PAGE } from "../../../../admin/declare/paging.ts";
import { MAILBOX_SETTING_FORMS, type MailboxSettings } from "../../../../admin/mailboxes.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { madePassword } from "../../../../guard/access/secrets.ts";
import { hashPassword } from "../../../../store/passwords/password-hash.ts";
import type { Call, Failure, Reader } from "../../call.ts";
import { oneLine } from "../../print/text.ts";

/** The result of a measure; a part of it may fail. `printed`: secrets that are shown once and kept nowhere. */
export type Came = Readonly<{ did: readonly string[]; wrong: readonly string[]; printed?: string }>;
/** One thing to do, and what it is; an empty plan: nothing as far as is known. */
export type Deed = Readonly<{ plan: string; run: () => Promise<Came> }>;

export function newDashboardPassword(call: Call): Deed {
  const plan = "Set a new password of the dashboard, and remove its second factors and passkeys.";
  return {
    plan,
    run: async () => {
      const changed = await changeDashboardPassword(call, plan);
      // After the password: an intruder could have set up a second factor, and sessions end with it.
      const reset = await call.guard.ask({ verb: "factors_reset" });
      if (!reset.ok)
        return { ...changed, wrong: [...changed.wrong, notDone("Remove the second factors of the dashboard.", reset)] };
      return { ...changed, did: [...changed.did, factorsRemoved(reset.result)] };
    },
  };
}

async function changeDashboardPassword(call: Call, plan: string): Promise<Came> {
  const password = madePassword();
  const asked = await call.guard.ask({ verb: "admin_set_hash", hash: await hashPassword(password) });
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
export function revokeTokens(call: Call): Deed {
  const plan = "Revoke every API token.";
  return {
    plan,
    run: async () => {
      const did: string[] = [];
      const wrong = new Map<string, string>();
      while (true) {
        const listed = await call.guard.ask({ verb: "token_list", limit: PAGE.most, cursor: null });
        if (!listed.ok) return { did, wrong: [...wrong.values(), notDone(plan, listed)] };
        const left = listed.result.items.filter(({ name }) => !wrong.has(name));
        if (left.length === 0) break;
        for (const { name } of left) {
          const asked = await call.guard.ask({ verb: "token_revoke", name });
          if (asked.ok) did.push(`The API token ${name} is revoked.`);
          else wrong.set(name, notDone(`Revoke the API token ${name}.`, asked));
        }
      }
      return { did: did.length + wrong.size === 0 ? ["No API token existed."] : did, wrong: [...wrong.values()] };
    },
  };
}

/**
 * Ends what a thief may have set for the account's mailbox. After the new password, because who is signed in could set it again; so it is
 * looked at once more then.
 */
export function endSettings(call: Call, reader: Reader, name: AccountName): readonly Deed[] {
  return MAILBOX_SETTING_FORMS.flatMap((form) => {
    if (!("ends" in form)) return [];
    const { shows, ends } = form;
    const isSet = (own: MailboxSettings): boolean => shows(own, call.now()) !== null;
    const known = reader.own(name);
    const run = async (): Promise<Came> => {
      const was = reader.own(name);
      if (!isSet(was)) return { did: [], wrong: [] };
      const asked = await call.guard.ask(ends.command(name));
      return asked.ok ? took(oneLine(ends.did(name, was))) : { did: [], wrong: [notDone(ends.plan(name, was), asked)] };
    };
    return [{ plan: isSet(known) ? ends.plan(name, known) : "", run }];
  });
}

/** A command that failed may be done in part, unless it was not received or its grammar was wrong. */
export function mayStand({ exit }: Failure): boolean {
  return exit === "failed";
}

export function notDone(plan: string, { message }: Failure): string {
  return `${plan} Failed: ${message}`;
}

export function took(says: string): Came {
  return { did: [says], wrong: [] };
}
