import * as z from "zod/mini";
import type { Scope } from "../../core/access/scopes.ts";
import { lazily } from "./fields.ts";

/** How a verb is called over HTTP. Fields in neither the path nor `given` are sent in the query of GET and DELETE, otherwise in the body. */
export type HttpForm<R = never> = Readonly<{
  /** Path below `/api/v1`; braces enclose fields of the verb. */
  route: `${"GET" | "POST" | "PUT" | "DELETE"} /${string}`;
  /** For the user of a mailbox: the field that names the mailbox is filled from the session. */
  own?: true;
  /** One sentence for `/openapi.json`. */
  says: string;
  /** Fields with a fixed value, which the caller cannot give. */
  given?: Readonly<Record<string, unknown>>;
  /** Fields that are stricter over HTTP than in the verb. */
  fields?: Readonly<Record<string, z.ZodMiniType>>;
  /** Returns what is wrong with the combination of fields in the request's body; null if nothing is. */
  check?: (body: Readonly<Record<string, unknown>>) => string | null;
  /** Fields that have another name over HTTP. */
  named?: Readonly<Record<string, string>>;
  /** Schema of the answer, where it differs from the result's. */
  answer?: () => z.ZodMiniType;
  /** Makes that answer from the result. */
  shape?: (result: R) => unknown;
  status?: 201;
}>;

/** For the user of a mailbox, whose requests name no mailbox. */
export const OWN = { own: true } as const;

/** How a verb is typed. `A`: its fields. `R`: its result. */
export type CliForm<A, R> = Readonly<{
  /** The line of the help: `alias add ADDRESS TARGET...`. */
  usage: string;
  says: string;
  /** The fields that its words fill, in their order. */
  words?: readonly (keyof A & string)[];
  /** Options by the field that they fill. */
  options?: Readonly<Partial<Record<keyof A & string, Readonly<{ name: string; value: string; says: string }>>>>;
  given?: Readonly<Partial<A>>;
  /** Switches, at most one of which may be given, with the fields that it sets. `alone`: it replaces the last word and all options. */
  switches?: readonly Readonly<{ name: string; says: string; given: Readonly<Partial<A>>; alone?: true }>[];
  /**
   * Without its last word, the command asks this reading verb instead. `done` then gets that verb's fields and result merged, which
   * must have the shape of `R`.
   */
  shows?: string;
  /** The output of `--json`, where it differs from the result. */
  json?: (result: R) => unknown;
  done?: (result: R, asked: A, nowMs: number) => string;
  table?: R extends { readonly items: readonly (infer I)[] } ? Table<I> : never;
  next?: string | ((result: R) => string);
}>;

type Table<I> = Readonly<{
  things: string;
  /** Maximum items on a page of the verb, if not the usual maximum. */
  most?: number;
  /** The member of `--json` with the items; `items` by default. */
  member?: string;
  head: readonly string[];
  row: (item: I) => readonly string[];
  /** A sentence if there are no items; `first` is the command that is useful then. */
  none: string;
  first?: string;
  next?: string;
}>;

type Fields<S extends z.core.$ZodShape> = z.output<z.ZodMiniObject<S, z.core.$strict>>;
type ResultIn<G> = G extends { readonly type?: infer R } ? NonNullable<R> : never;

class Declared<
  const V extends string,
  const R extends Rights,
  const S extends z.core.$ZodShape,
  const G extends GivesFor<R>,
> {
  readonly verb: V;
  readonly rights: R;
  readonly fields: S;
  readonly gives: G;
  readonly schema: () => z.ZodMiniObject<S & { verb: z.ZodMiniLiteral<V> }, z.core.$strict>;
  readonly routes: HttpForm<ResultIn<G>>[] = [];
  readonly cliForms: CliForm<Fields<S>, ResultIn<G>>[] = [];

  constructor(named: V, rights: R, fields: S, gives: G) {
    this.verb = named;
    this.rights = rights;
    this.fields = fields;
    this.gives = gives;
    this.schema = lazily(() => z.strictObject({ ...fields, verb: z.literal(named) }));
  }

  http(route: HttpForm["route"], says: string, more: Omit<HttpForm<ResultIn<G>>, "route" | "says"> = {}): this {
    this.routes.push({ route, says, ...more });
    return this;
  }

  cli(usage: string, says: string, more: Omit<CliForm<Fields<S>, ResultIn<G>>, "usage" | "says">): this {
    this.cliForms.push({ usage, says, ...more });
    return this;
  }
}

export function verb<
  const V extends string,
  const R extends Rights,
  const S extends z.core.$ZodShape,
  const G extends GivesFor<R>,
>(named: V, rights: R, fields: S, gives: G): Declared<V, R, S, G> {
  return new Declared(named, rights, fields, gives);
}

/** The socket of a command. The file's permissions prove the origin. */
export type Origin = "root" | "web";
/**
 * What the web's caller needs: nothing, a valid session or token, one with this scope, or the session of a mailbox's user, for whom
 * the verb works only on that mailbox.
 */
export type Need = "nothing" | "caller" | "mailbox" | Scope;
/**
 * Who may use a verb. For an origin that is not listed, the verb does not exist. `proof`: the caller must have given the password
 * within the last ten minutes (`PROOF_MS`); `proofWithout`: only if the list in this field is empty. `user`: the user of a mailbox
 * may use the verb too, if this field names that mailbox. `costs`: a change by users counts against the limit that they all share
 * (user-bounds.ts); `costsIf`: only if this field is not empty.
 */
export type Rights = Readonly<{
  from: readonly Origin[];
  needs: Need;
  proof?: true;
  proofWithout?: string;
  user?: string;
  costs?: boolean;
  costsIf?: string;
}>;

/** Adds the user of the mailbox that the field names. */
export function orItsUser<const R extends Rights>(
  rights: R,
  field: string,
  costs: Pick<Rights, "costs" | "costsIf"> = { costs: true },
) {
  return { ...rights, user: field, ...costs };
}

export const ROOT = { from: ["root"], needs: "nothing" } as const;
/** For requests of strangers through the web. */
export const WEB = { from: ["web"], needs: "nothing" } as const;
export const ANYONE = { from: ["root", "web"], needs: "nothing" } as const;
/** For what any caller may ask or change about itself. */
export const OF_CALLER = { from: ["web"], needs: "caller" } as const;
/**
 * Give these rights, down to `PROVEN_ADMIN`, only to verbs that routes of the HTTP API need: an attacker who takes over the web could
 * use all of them in any caller's name.
 */
export const READ = { from: ["root", "web"], needs: "read" } as const;
export const BAN = { from: ["root", "web"], needs: "ban" } as const;
export const ALLOW = { from: ["root", "web"], needs: "allow" } as const;
export const GREYLIST = { from: ["root", "web"], needs: "greylist" } as const;
export const QUEUE = { from: ["root", "web"], needs: "queue" } as const;
/** Without queue ids, such a command may stop all outgoing mail, including alerts, or send all that was put on hold by hand. */
export const HOLD = { ...QUEUE, proofWithout: "ids" } as const;
/** For commands that take mail away from its recipients, or vouch for an account whose mail is held. */
export const PROVEN_QUEUE = { from: ["root", "web"], needs: "queue", proof: true } as const;
export const ADMIN = { from: ["root", "web"], needs: "admin" } as const;
/** Only for sessions of the dashboard: the result is shown once, to a person. */
export const SESSION_OF_ADMIN = { from: ["web"], needs: "admin" } as const;
export const PROVEN_SESSION = { from: ["web"], needs: "admin", proof: true } as const;
export const PROVEN_ADMIN = { from: ["root", "web"], needs: "admin", proof: true } as const;
/** Only for the user of a mailbox: none of these verbs takes the name of an account. See also `orItsUser`. */
export const MAILBOX = { from: ["web"], needs: "mailbox" } as const;
export const PROVEN_MAILBOX = { from: ["web"], needs: "mailbox", proof: true } as const;

/**
 * The limit on how often the web may give a command, which also holds for an attacker who takes over the web. `WEB_LIMITS` in
 * guard/commands/web/web-bounds.ts says what each limit counts. `itself`: the command has its own limits, by address
 * or account. Users of mailboxes have separate limits (user-bounds.ts).
 */
export type Bound =
  | "itself"
  | "allowed"
  | "bans"
  | "access"
  | "accounts"
  | "imported"
  | "lockout"
  | "settings"
  | "mail"
  | "deleted"
  | "released"
  | "alertTests";

/** Changes nothing that must survive a power failure. `dryRun`: why there is no dry run. */
type Reads = Readonly<{ lasts: false; bound?: Bound; dryRun?: string }>;
/** `dryRun`: true if the guard can say what the command would do without doing it, otherwise why not. */
type ChangesByWeb<T extends string | true> = Readonly<{ lasts: true; bound: Bound; dryRun: T; tellsSecret?: true }>;
/** Has no bound, so only root may use it. */
type ChangesByRoot = Readonly<{ lasts: true; bound?: never; dryRun?: never; tellsSecret?: never }>;
export type Effect = Reads | ChangesByWeb<string | true> | ChangesByRoot;

/** Makes the schema of a result. Only programs that describe results, as in `/openapi.json`, call it. */
type Answer<R> = () => z.ZodMiniType<R>;

/**
 * The result of a verb, and what the verb does. `answer`: the schema of the result or, for a result without one, the name of a field
 * that only this result has, by which `parseReply` knows it. `R` exists only for the compiler.
 */
type Gives<R, E extends Effect> = Readonly<{ answer: string | Answer<R>; effect: E; type?: R }>;
/** Results that a verb with these rights may have: a change that the web may request must have a bound. */
export type GivesFor<R extends Rights> = Gives<
  unknown,
  "web" extends R["from"][number] ? Reads | ChangesByWeb<string | true> : Reads | ChangesByRoot
>;
type AnswerOf<R> = (keyof R & string) | Answer<R>;

export function reads<R>(answer: AnswerOf<R>, but: Omit<Reads, "lasts"> = {}): Gives<R, Reads> {
  return { answer, effect: { lasts: false, ...but } };
}

export function rootChanges<R>(answer: AnswerOf<R>): Gives<R, ChangesByRoot> {
  return { answer, effect: { lasts: true } };
}

/** It has a dry run, unless `dryRun` says why not. */
export function changes<R>(answer: AnswerOf<R>, bound: Bound, dryRun: string): Gives<R, ChangesByWeb<string>>;
export function changes<R>(answer: AnswerOf<R>, bound: Bound): Gives<R, ChangesByWeb<true>>;
export function changes<R>(answer: AnswerOf<R>, bound: Bound, dryRun: string | true = true) {
  return { answer, effect: { lasts: true, bound, dryRun } };
}

/** The same, but its result may hold a secret, which is shown once. */
export function changesWithSecret<R>(answer: AnswerOf<R>, bound: Bound): Gives<R, ChangesByWeb<true>> {
  return { answer, effect: { lasts: true, bound, dryRun: true, tellsSecret: true } };
}
