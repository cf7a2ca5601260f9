import type { Ip } from "../net/ip.ts";
import { actionOf, shown, stored } from "./columns.ts";
import type { DecidedKind } from "./kind.ts";
import type { Seen } from "./seen.ts";
import type { Service } from "./service.ts";

/** What Dovecot (or the dashboard) tells of a login. `login` is whatever the client typed. */
export type LoginFacts = Readonly<{
  ip: Ip;
  service: Service;
  login: string;
  /** A short keyed hash that tells passwords apart without revealing them; empty where unknown. */
  passwordHash: string;
  /** Whether its sender has brought as many bans as it may: what it tells counts, and brings none. */
  withoutBan?: boolean;
}>;
/** Before the password is verified. */
export type LoginAsked = Readonly<{ type: "LOGIN_ASKED" } & LoginFacts>;
export type LoginSucceeded = Readonly<{ type: "LOGIN_SUCCEEDED" } & LoginFacts>;
export type LoginFailed = Readonly<{ type: "LOGIN_FAILED" } & LoginFacts>;
export type Login = LoginAsked | LoginSucceeded | LoginFailed;

export type LoginRest = Readonly<{
  event: Login["type"];
  /** Of a sign-in that succeeded: the account knows it from then on. Those that failed have a column. */
  passwordHash?: string | undefined;
  withoutBan?: boolean | undefined;
  seen?: Seen | undefined;
}>;

export const login: DecidedKind<Login, LoginRest> = {
  name: ({ type }, { verdict, simulated }) => {
    if (type !== "LOGIN_ASKED") return type;
    return (simulated ?? verdict) === "delay" ? "LOGIN_DELAYED" : "LOGIN_REFUSED";
  },
  window: ({ type }) => (type === "LOGIN_SUCCEEDED" ? null : "login"),
  account: ({ login: name }) => (name === "" ? null : stored(name)),
  columns: ({ type, service, passwordHash }) => ({ service, proof: type === "LOGIN_SUCCEEDED" ? null : passwordHash }),
  rest: ({ type, passwordHash, withoutBan }, seen) => ({
    event: type,
    passwordHash: type === "LOGIN_SUCCEEDED" ? passwordHash : undefined,
    withoutBan,
    seen,
  }),
  sentence: ({ service, account, verdict }) => ({
    details: `${service} login=<${shown(account)}>`,
    action: actionOf(verdict),
  }),
  event: ({ ip, service, account, proof }, { event: type, passwordHash, withoutBan }) => {
    if (ip === null || service === null) return null;
    const facts = { type, ip, service, login: account ?? "", passwordHash: proof ?? passwordHash ?? "" };
    return withoutBan === undefined ? facts : { ...facts, withoutBan };
  },
};
