import type { ParsedCommandOf, Reply, Verb } from "../../admin/declare/control.ts";

/** Carries out a command. `by`: the actor who gave it. */
export type RunOf<V extends Verb, P> = (parts: P, command: ParsedCommandOf<V>, by: string) => Promise<Reply<V>>;

/** How the commands of a noun are carried out, each under its verb. `at`: what else they are given (`RunContext` in `carry-out.ts`). */
export type RunsOf<P, At = unknown> = {
  readonly [V in Verb]?: (parts: P, command: ParsedCommandOf<V>, by: string, at: At) => Promise<Reply<V>> | Reply<V>;
};
