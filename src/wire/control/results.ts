import type { Protection } from "../../core/events/reasons.ts";
import type { CallerItem } from "./access-items.ts";

/** What the verbs of control.ts answer with. */

/** Without `quotaBytes`: the quota of the settings. */
export type NamedSecret = Readonly<{ name: string; hash: string; proof: string; quotaBytes?: number | undefined }>;
export type Named = Readonly<{ name: string }>;
/** `held`: mails of the account that wait on hold in the queue. */
export type Network = Readonly<{ prefix: string }>;
/** `reason` null: nothing forbids it. */
export type Protected = Network & Readonly<{ reason: Protection | null }>;
/** `recorded`: whether the database stored a record of it. */
export type Reloaded = Readonly<{ changed: readonly string[]; recorded: boolean }>;
/** `inForce`: the value of each, as text in TOML, in the order of `changed`. */
export type Pending = Readonly<{ changed: readonly string[]; inForce: readonly string[] }>;
/** `known`: what the browser shows at its next sign-in; null: nothing. */
export type SignedIn =
  | Readonly<{ outcome: "in"; secret: string; known: string | null; caller: CallerItem }>
  | Readonly<{ outcome: NotIn }>;
export type Proved = Readonly<{ outcome: "proved" | NotIn; caller: CallerItem }>;
/** `code_needed`: the password is right, and a second factor must come with it. */
export type NotIn = "wrong" | "refused" | "code_needed";
/** How many there were, and the names of the passkeys among them. */
export type FactorsReset = Ended & Readonly<{ factors: number; passkeyNames: readonly string[] }>;
export type Ended = Readonly<{ ended: number }>;
export type Done = Readonly<{ done: true }>;
