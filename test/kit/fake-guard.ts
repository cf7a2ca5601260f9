import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Command, type CommandOf, type Reply, type Verb, verbs } from "../../src/admin/declare/control.ts";
import type { CallerItem, Health } from "../../src/admin/declare/items.ts";
import type { MyMailbox } from "../../src/admin/me.ts";
import { roleOf, SCOPES, type Scope } from "../../src/core/access/scopes.ts";
import { parseIp } from "../../src/core/net/ip.ts";
import type { Asker, Asking, GuardPort, Unreachable } from "../../src/surfaces/api/ports.ts";
import { sampleOf } from "./sample-of.ts";
import { WELL } from "./samples.ts";

export const PASSWORD = "correct horse battery";
export const TOKEN = "gi_0123456789abcdef0123456789abcdef";

export const HEALTH: Health = {
  ...WELL,
  components: [
    { name: "guard", status: "ok", detail: "deciding, secret detail" },
    { name: "postfix", status: "ok", detail: "running, pid 7" },
  ],
  uptimeSeconds: 5,
};

/** The caller of a token with these scopes, as the guard sees it. */
export function tokenNamed(name: string, scopes: readonly Scope[]): CallerItem {
  return { how: "token", name, role: roleOf(scopes), account: null, scopes, freshUntil: null, session: null };
}

/** The mailbox of a user who signs in. */
export const MAILBOX: MyMailbox = {
  account: "anna@example.org",
  quotaBytes: 5_000,
  usedBytes: 1_024,
  mails: 3,
  aliases: ["info@example.org"],
  networks: [],
  guarded: false,
  greylistPausedUntil: null,
  passwordOnServer: false,
};

/** The settings for mail programs. */
export const CLIENT = { account: MAILBOX.account, host: "mail.example.org", imapPort: 993, smtpPort: 465 } as const;

/** The caller of requests with `TOKEN`. */
export const AS_TOKEN = { as: TOKEN, ip: parseIp("127.0.0.1") ?? assert.fail() };
/** The guard's reply to a command that fails on its side. */
export const DISK_FULL = {
  ok: false,
  kind: "failed",
  message: "It could not be done: database or disk is full",
  next: "`status` shows what is wrong.",
} as const;
const ADMIN = { name: "admin", role: "owner", account: null, scopes: SCOPES } as const;
const WRONG: Reply = { ok: true, result: { outcome: "wrong" } };
const UNAUTHORIZED = { ok: false, kind: "failed", message: "", next: "", denied: "unauthorized" } as const;

/** Answers as the guard would (a sample result for verbs that only read), records its commands, and throws on an unexpected verb. */
export class FakeGuard implements GuardPort {
  readonly asked: { readonly asker: Asker; readonly command: Command; readonly isDry?: true }[] = [];
  readonly replies = new Map<Verb, Reply | Unreachable>([
    ["health", { ok: true, result: HEALTH }],
    ["protection", { ok: true, result: { prefix: "203.0.113.7/32", reason: null } }],
    ["account_state", { ok: true, result: { state: null } }],
    ["settings_list", { ok: true, result: { values: [], digest: "0".repeat(64), undo: null } }],
    ["my_mailbox", { ok: true, result: MAILBOX }],
    [
      "my_addresses",
      {
        ok: true,
        result: { account: MAILBOX.account, addresses: [MAILBOX.account], createdAt: "2026-11-20T00:00:00.000Z" },
      },
    ],
    ["my_client", { ok: true, result: CLIENT }],
  ]);
  /** Callers by their secret. */
  readonly callers = new Map<string, CallerItem>([[TOKEN, tokenNamed("ci", SCOPES)]]);
  /** Questions about callers. */
  identified: Readonly<{ as: string; ip: string; isUse: boolean }>[] = [];
  isDown = false;

  ask<V extends Verb>(
    asker: Asker,
    command: CommandOf<V>,
    { isDry }: Pick<Asking, "isDry"> = { isDry: false },
  ): Promise<Reply<V> | Unreachable> {
    if (this.isDown) return Promise.resolve({ ok: false, kind: "unreachable", message: "no socket" });
    const asked: Command = command;
    if (asked.verb === "caller" && asker !== "web") this.identified.push({ ...asker, isUse: asked.isUse });
    else this.asked.push({ asker, command, ...(isDry && { isDry }) });
    const reply = this.replies.get(asked.verb) ?? this.#ofAccess(asker, asked);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `replies` holds each verb's own
    return Promise.resolve(reply as Reply<V>);
  }

  /** From now on the verb has this result. */
  answers<V extends Verb>(verb: V, result: Extract<Reply<V>, { ok: true }>["result"]): void {
    this.replies.set(verb, { ok: true, result });
  }

  refuses(verb: Verb, message: string, more: Partial<Extract<Reply, { ok: false }>> = {}): void {
    this.replies.set(verb, { ok: false, kind: "failed", message, next: "", ...more });
  }

  of(verb: Verb): readonly Command[] {
    return this.asked.map(({ command }) => command).filter((command) => command.verb === verb);
  }

  #ofAccess(asker: Asker, command: Command): Reply {
    const caller = asker === "web" ? undefined : this.callers.get(asker.as);
    switch (command.verb) {
      case "sign_in":
        return command.password === PASSWORD ? this.#signedIn(ADMIN, "known") : WRONG;
      case "sign_in_mailbox": {
        const { account } = command;
        const who = { name: account, role: "mailbox", account, scopes: [] } as const;
        return command.password === PASSWORD ? this.#signedIn(who, null) : WRONG;
      }
      case "caller":
        return caller === undefined ? UNAUTHORIZED : { ok: true, result: { caller } };
      case "sign_out":
        if (asker !== "web") this.callers.delete(asker.as);
        return { ok: true, result: { done: true } };
      default:
        return sampleReply(command.verb) ?? assert.fail(`the guard was asked to ${command.verb}`);
    }
  }

  #signedIn(who: Pick<CallerItem, "name" | "role" | "account" | "scopes">, known: string | null): Reply {
    const secret = randomBytes(32).toString("base64url");
    const session = `session-${this.callers.size}`;
    const caller: CallerItem = { how: "session", ...who, freshUntil: null, session };
    this.callers.set(secret, caller);
    return { ok: true, result: { outcome: "in", secret, known, caller } };
  }
}

function sampleReply(verb: Verb): Reply | null {
  const { answer, effect } = verbs.get(verb)?.gives ?? assert.fail(verb);
  if (typeof answer === "string" || effect.lasts) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by the schema of the result
  return { ok: true, result: sampleOf(answer()) } as Reply;
}
