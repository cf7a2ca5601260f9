import { type Ip, parseIp } from "../../core/net/ip.ts";
import { type Verb, verbs } from "./control.ts";
import type { CallerItem } from "./items.ts";
import type { Origin, Rights } from "./verb.ts";

/** No one may use an unknown verb. */
export function rightsOf(verb: Verb): Rights {
  return verbs.get(verb)?.rights ?? { from: [], needs: "admin", proof: true };
}

/** The actor of a line without a caller. The web cannot name one. */
export function actorFrom(origin: Origin, by: string): string {
  return origin === "root" ? by : "web:unnamed";
}

/** The actor of a line with a caller, whom the guard has identified. */
export function actorOf({ how, name, account }: Pick<CallerItem, "how" | "name" | "account">, ip: Ip): string {
  if (account !== null) return `mailbox:${account} via ${ip}`;
  return how === "token" ? `web:token ${name} via ${ip}` : `web:${name} via ${ip}`;
}

/** The address of a caller of the web, as `actorOf` wrote it. */
export function callersIp(actor: string): Ip | null {
  return parseIp(actor.split(" via ").at(-1) ?? "");
}

/** Whether root acted on the command line, as `root` or through sudo as `root (anna)`. */
export function isRootUser(actor: string): boolean {
  return !isWebAdmin(actor) && !isMailboxUser(actor);
}

export function isWebAdmin(actor: string): boolean {
  return actor.startsWith("web:");
}

export function isMailboxUser(actor: string): boolean {
  return actor.startsWith("mailbox:");
}

/** The account whose own user acted, or null. */
export function mailboxOf(actor: string): string | null {
  return /^mailbox:(\S+) via /.exec(actor)?.[1] ?? null;
}
