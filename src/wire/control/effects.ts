import type * as z from "zod/mini";
import { lazily } from "./fields.ts";
import type { Rights } from "./verb-rights.ts";

/**
 * What limits how often the web gives a command: who takes the web over stays within it (engine/commands/web/web-bounds.ts).
 * `own`: the command counts for itself, by address or account.
 */
export type Bound =
  | "own"
  | "allowed"
  | "bans"
  | "access"
  | "accounts"
  | "imported"
  | "shutOut"
  | "settings"
  | "mail"
  | "deleted"
  | "released"
  | "alertTests";

/** It changes nothing that must survive a power failure. `trial`: why a dry run is not offered. */
type Reads = Readonly<{ lasts: false; bound?: Bound; trial?: string }>;
/** `trial`: true if the guard can say what it would do without doing it, otherwise why not. */
type ChangesByWeb<T extends string | true> = Readonly<{ lasts: true; bound: Bound; trial: T; tellsSecret?: true }>;
/** Without a bound, so only for root. */
type ChangesByRoot = Readonly<{ lasts: true; bound?: never; trial?: never; tellsSecret?: never }>;
export type Effect = Reads | ChangesByWeb<string | true> | ChangesByRoot;

/** The result of a verb as a schema, which only those who describe it make. */
type Answer<R> = Readonly<{ schema: () => z.ZodMiniType<R> }>;

/**
 * The result of a verb, and what the verb does. `answer`: a field by which it is known from results of other verbs and versions, or its
 * schema. `R` exists only for the compiler.
 */
type Given<R, E extends Effect> = Readonly<{ answer: string | Answer<R>; effect: E; type?: R }>;
/** What a verb of these rights may do: a change that the web may ask for must have a bound. */
export type GivenFor<R extends Rights> = Given<
  unknown,
  "web" extends R["from"][number] ? Reads | ChangesByWeb<string | true> : Reads | ChangesByRoot
>;
type AnswerOf<R> = (keyof R & string) | Answer<R>;

/** What an answer holds. */
export type ResultOf<A> = A extends Answer<infer R> ? Readonly<R> : never;

export function answers<R>(make: () => z.ZodMiniType<R>): Answer<R> {
  return { schema: lazily(make) };
}

export function reads<R>(answer: AnswerOf<R>, but: Omit<Reads, "lasts"> = {}): Given<R, Reads> {
  return { answer, effect: { lasts: false, ...but } };
}

export function rootChanges<R>(answer: AnswerOf<R>): Given<R, ChangesByRoot> {
  return { answer, effect: { lasts: true } };
}

export function changes<R>(answer: AnswerOf<R>, bound: Bound): Given<R, ChangesByWeb<true>> {
  return { answer, effect: { lasts: true, bound, trial: true } };
}

/** Its result may hold a secret, which is shown once. */
export function changesWithSecret<R>(answer: AnswerOf<R>, bound: Bound): Given<R, ChangesByWeb<true>> {
  return { answer, effect: { lasts: true, bound, trial: true, tellsSecret: true } };
}

export function changesUntried<R>(answer: AnswerOf<R>, bound: Bound, trial: string): Given<R, ChangesByWeb<string>> {
  return { answer, effect: { lasts: true, bound, trial } };
}

export const SIGN_IN = "A sign-in, a sign-out and a proof cannot be tried.";
export const FACTOR = "Second factors and passkeys are set up in a browser, step by step, each of which is confirmed.";
export const OWN = "It concerns only the mailbox of this session.";
