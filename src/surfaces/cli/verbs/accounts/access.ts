import { parseScopes, ROLES, SCOPES } from "../../../../core/access/scopes.ts";
import { plural } from "../../../../core/text.ts";
import { newToken } from "../../../../guard/access/secrets.ts";
import { type Answer, type Call, done, PROGRAM, whileRunning, wrongUsage } from "../../call.ts";
import { newPasswordHash } from "../../passwords.ts";
import { joined, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";

/** Allows neither changes to the mail queue nor what only an owner may do. */
const DEFAULT_SCOPE = "operator";

/** Makes the token here, and stores only its SHA-256 digest, so it cannot be shown again. */
export async function tokenCreate(call: Call): Promise<Answer> {
  const [name = ""] = call.args;
  const asksFor = call.option("scope") ?? DEFAULT_SCOPE;
  const scopes = parseScopes(asksFor);
  if (scopes === null) {
    const known = `Scopes are ${SCOPES.join(", ")}; ${Object.keys(ROLES).join(", ")} stand for several.`;
    return wrongUsage(`"${oneLine(asksFor)}" names an unknown scope.`, known);
  }
  const { token, digest } = newToken();
  const asked = await call.guard.ask({ verb: "token_create", name, digest, scopes, for: call.option("for") });
  if (!asked.ok) return asked;
  const settings = settingsOf(call);
  const port = settings.ok ? settings.settings["ports.http"] : 3000;
  const use = `curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:${port}/api/v1/bans  # the token is shown once`;
  return done({ token, scopes }, token, use);
}

export const adminPasswd = whileRunning(async (call) => {
  const password = await newPasswordHash(call, null);
  if (!password.ok) return password;
  const asked = await call.guard.ask({ verb: "admin_set_hash", hash: password.hash });
  if (!asked.ok) return asked;
  return done(asked.result, `The dashboard's password was changed.${await stayingFactors(call)}`);
});

/** Which second factors and passkeys stay after a new password; empty if none. */
async function stayingFactors({ guard }: Call): Promise<string> {
  const asked = await guard.ask({ verb: "factor_list" });
  if (!asked.ok) return "";
  const { totp } = asked.result;
  const passkeys = asked.result.passkeys.map(({ name }) => name);
  const keys = passkeys.length > 0 && `These passkeys stay, and need no password: ${passkeys.join(", ")}.`;
  const stays = joined(" ", [totp && "The second factor stays.", keys]);
  return stays === "" ? "" : ` ${stays} \`${PROGRAM} admin reset-2fa\` removes ${keys === false ? "it" : "them"}.`;
}

export async function sessionEnd(call: Call): Promise<Answer> {
  const [id] = call.args;
  const isAll = call.flag("all");
  if ((id === undefined) !== isAll)
    return wrongUsage("Name one session, or give --all.", `\`${PROGRAM} session list\` shows them.`);
  if (id === undefined) {
    const asked = await call.guard.ask({ verb: "session_end_all" });
    return asked.ok ? done(asked.result, `${plural(asked.result.ended, "session")} ended.`) : asked;
  }
  const asked = await call.guard.ask({ verb: "session_end", id: id.slice(0, 32) });
  return asked.ok ? done(asked.result, `The session ${id} has ended.`) : asked;
}
