import { parseScopes, ROLES, SCOPES } from "../../../core/access/scopes.ts";
import { newToken } from "../../../engine/access/secrets.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, wrongUsage } from "../../call.ts";
import { newPasswordHash } from "../../new-password.ts";
import { oneLine } from "../../print/text.ts";
import { settingsOf } from "../settings/server-settings.ts";
import { stayingFactors } from "./second-factors.ts";

/** All but what gives others access. */
const DEFAULT_SCOPE = "operator";

/** The token is made here and only its SHA-256 digest is stored, so it cannot be shown again. */
export async function tokenCreate(call: CommandCall): Promise<CommandOutcome> {
  const name = nameFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const asksFor = call.option("scope") ?? DEFAULT_SCOPE;
  const scopes = parseScopes(asksFor);
  if (scopes === null) {
    const known = `Scopes are ${SCOPES.join(", ")}; ${Object.keys(ROLES).join(", ")} stand for several.`;
    return wrongUsage(`"${oneLine(asksFor)}" names a scope that there is not.`, known);
  }
  const { token, digest } = newToken();
  const asked = await call.guard.ask<"token_create">({
    verb: "token_create",
    name,
    digest,
    scopes,
    for: call.option("expires"),
  });
  if (!asked.ok) return asked;
  const settings = settingsOf(call);
  const port = settings.ok ? settings.settings["ports.http"] : 3000;
  const use = `curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:${port}/api/v1/bans  # the token is shown only now`;
  return done({ token, scopes }, token, use);
}

export async function adminPasswd(call: CommandCall): Promise<CommandOutcome> {
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const password = await newPasswordHash(call, null);
  if (!password.ok) return password;
  const asked = await call.guard.ask<"admin_passwd">({ verb: "admin_passwd", hash: password.hash });
  if (!asked.ok) return asked;
  return done(asked.result, `The dashboard's password was changed.${await stayingFactors(call)}`);
}

function nameFrom(text: string | undefined): string | CommandFailure {
  if (text !== undefined && /^[A-Za-z0-9_.-]{1,64}$/.test(text)) return text;
  return wrongUsage(`"${oneLine(text ?? "")}" cannot name a token.`, "Use 1 to 64 letters, digits, dots or dashes.");
}
