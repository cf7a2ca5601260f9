import type { Ip } from "../net/ip.ts";
import { actionOf, type DecidedKind, shown, stored } from "./columns.ts";
import type { Service } from "./event-types.ts";
import type { RestOf } from "./rest-schemas.ts";

/** What Dovecot (or the dashboard) reports about a login. `login` is what the client typed. */
export type LoginAttributes = Readonly<{
  ip: Ip;
  service: Service;
  login: string;
  /** A short keyed hash that distinguishes passwords without revealing them; empty if unknown. */
  passwordHash: string;
  /** Why wrong passwords count but cause no ban: the dashboard has used up its bans, or the database cannot be written. */
  withoutBan?: false | "bans_used_up" | "unwritable";
  /** The name of the passkey that was used instead of a password. */
  passkey?: string;
  /** The name of the app password that was used instead of the account's own. */
  appPassword?: string;
  /** It came through a mail proxy, so the firewall cannot stop its client. */
  proxied?: true;
}>;
/** Before the password is verified. */
export type LoginAsked = Readonly<{ type: "LOGIN_ASKED" } & LoginAttributes>;
export type LoginSucceeded = Readonly<{ type: "LOGIN_SUCCEEDED" } & LoginAttributes>;
export type LoginFailed = Readonly<{ type: "LOGIN_FAILED" } & LoginAttributes>;
export type Login = LoginAsked | LoginSucceeded | LoginFailed;

export const login: DecidedKind<Login, RestOf<Login["type"]>> = {
  name: ({ type }, { verdict, simulated }) => {
    if (type !== "LOGIN_ASKED") return type;
    return (simulated ?? verdict) === "delay" ? "LOGIN_DELAYED" : "LOGIN_REFUSED";
  },
  window: ({ type }) => (type === "LOGIN_SUCCEEDED" ? null : "login"),
  columns: ({ type, service, login: name, passwordHash }) => ({
    service,
    account: name === "" ? null : stored(name),
    proof: type === "LOGIN_SUCCEEDED" ? null : passwordHash,
  }),
  rest: ({ type, passwordHash, withoutBan, passkey, appPassword }, seen) => ({
    event: type,
    passwordHash: type === "LOGIN_SUCCEEDED" ? passwordHash : undefined,
    withoutBan,
    ...(passkey !== undefined && { passkey: stored(passkey) }),
    ...(appPassword !== undefined && { appPassword: stored(appPassword) }),
    seen,
  }),
  sentence: ({ service, account, verdict }, { passkey, appPassword }) => ({
    details: `${service} login=<${shown(account)}>${withNamed("passkey", passkey)}${withNamed("app password", appPassword)}`,
    action: actionOf(verdict),
  }),
  event: ({ ip, service, account, proof }, { event: type, passwordHash, withoutBan, ...named }) => {
    if (ip === null || service === null) return null;
    const facts = { type, ip, service, login: account ?? "", passwordHash: proof ?? passwordHash ?? "" };
    const { passkey, appPassword } = named;
    return {
      ...facts,
      ...(withoutBan !== undefined && { withoutBan }),
      ...(passkey !== undefined && { passkey }),
      ...(appPassword !== undefined && { appPassword }),
    };
  },
};

function withNamed(what: string, name: string | undefined): string {
  return name === undefined ? "" : ` with ${what} ${shown(name)}`;
}
