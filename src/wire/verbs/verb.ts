import * as z from "zod/mini";
import type { GivenFor } from "../control/effects.ts";
import { lazily } from "../control/fields.ts";
import type { Rights } from "../control/verb-rights.ts";

/** How a verb is asked over HTTP. Fields that neither the path nor `given` has come in the query of GET and DELETE, otherwise in the body. */
export type HttpForm<R = never> = Readonly<{
  /** Below `/api/v1`. In braces: fields of the verb. */
  route: `${"GET" | "POST" | "PUT" | "DELETE"} /${string}`;
  /** For the user of a mailbox: the field that names the mailbox is that of the session. */
  own?: true;
  /** One sentence for `/openapi.json`. */
  says: string;
  /** Fields that the route sets. */
  given?: Readonly<Record<string, unknown>>;
  /** Fields that are stricter there than in the verb. */
  fields?: Readonly<Record<string, z.ZodMiniType>>;
  /** What is wrong with the fields of the body together; null: nothing. */
  check?: (body: Readonly<Record<string, unknown>>) => string | null;
  /** Fields that have another name there. */
  named?: Readonly<Record<string, string>>;
  /** The answer, where it differs from the result. */
  answer?: () => z.ZodMiniType;
  of?: (result: R) => unknown;
  /** Where something is made. */
  status?: 201;
  /** A body that may be longer than usual. */
  body?: "accounts" | "sign-in" | "vacation";
}>;

/** For the user of a mailbox, who names none. */
export const OWN = { own: true } as const;

/** How a verb is typed. `A`: its fields. `R`: its result. */
export type CliForm<A, R> = Readonly<{
  /** As in the help: `alias add ADDRESS TARGET...`. */
  command: string;
  says: string;
  /** The fields that its words fill, in their order. */
  words?: readonly (keyof A & string)[];
  /** Options by the field that they fill. */
  options?: Readonly<Partial<Record<keyof A & string, Readonly<{ name: string; value: string; says: string }>>>>;
  given?: Readonly<Partial<A>>;
  /** The output of `--json`, where it differs from the result. */
  json?: (result: R) => unknown;
  /** What to say when it is done. */
  done?: (result: R, asked: A, nowMs: number) => string;
  /** Of a verb that answers with a list. */
  table?: R extends { readonly items: readonly (infer I)[] } ? Table<I> : never;
  /** The command that is useful next. */
  next?: string | ((result: R) => string);
}>;

type Table<I> = Readonly<{
  /** What it lists, in the plural. */
  things: string;
  /** The member of `--json` that has them; `items` unless given. */
  member?: string;
  head: readonly string[];
  row: (item: I) => readonly string[];
  /** If there are none: a sentence, and the command that is useful then. */
  none: string;
  first?: string;
  /** The command that is useful where there are some. */
  next?: string;
}>;

type Fields<S extends z.core.$ZodShape> = z.output<z.ZodMiniObject<S, z.core.$strict>>;
type ResultIn<G> = G extends { readonly type?: infer R } ? NonNullable<R> : never;

/** A verb: who may use it, its fields, its result and effect, and its forms over HTTP and on the command line. */
class Declared<
  const V extends string,
  const R extends Rights,
  const S extends z.core.$ZodShape,
  const G extends GivenFor<R>,
> {
  readonly verb: V;
  readonly rights: R;
  readonly fields: S;
  readonly gives: G;
  readonly command: () => z.ZodMiniObject<S & { verb: z.ZodMiniLiteral<V> }, z.core.$strict>;
  readonly routes: HttpForm<ResultIn<G>>[] = [];
  readonly commands: CliForm<Fields<S>, ResultIn<G>>[] = [];

  constructor(named: V, rights: R, fields: S, gives: G) {
    this.verb = named;
    this.rights = rights;
    this.fields = fields;
    this.gives = gives;
    this.command = lazily(() => z.strictObject({ ...fields, verb: z.literal(named) }));
  }

  /** Offers it over HTTP. `route`: below `/api/v1`, with fields of the verb in braces. `says`: for `/openapi.json`. */
  http(route: HttpForm["route"], says: string, more: Omit<HttpForm<ResultIn<G>>, "route" | "says"> = {}): this {
    this.routes.push({ route, says, ...more });
    return this;
  }

  /** Offers it on the command line. `command` and `says`: as in the help. */
  cli(command: string, says: string, more: Omit<CliForm<Fields<S>, ResultIn<G>>, "command" | "says">): this {
    this.commands.push({ command, says, ...more });
    return this;
  }
}

export function verb<
  const V extends string,
  const R extends Rights,
  const S extends z.core.$ZodShape,
  const G extends GivenFor<R>,
>(named: V, rights: R, fields: S, gives: G): Declared<V, R, S, G> {
  return new Declared(named, rights, fields, gives);
}
