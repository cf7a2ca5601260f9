import { $ZodArray, type $ZodIssue, type $ZodType } from "zod/v4/core";
import { type Command, type Verb, type VerbEntry, verbs } from "../../admin/declare/control.ts";
import { isObject } from "../../admin/declare/fields.ts";
import type { CountedPage, PageRequest } from "../../admin/declare/paging.ts";
import type { CliForm } from "../../admin/declare/verb.ts";
import { printable } from "../../core/text.ts";
import { type Answer, type Call, type CliCommand, done, type Failure, PROGRAM, wrongUsage } from "./call.ts";
import { andMore, emptyText, gather, LIST_OPTIONS, pageFrom } from "./listing.ts";
import { listOf, namedBy, type Option, optionsOf } from "./parse.ts";
import { columns } from "./print/text.ts";

type Fields = Readonly<Record<string, unknown>>;
type Form = CliForm<Fields, CountedPage<unknown>>;

export function derivedCommands(): readonly CliCommand[] {
  return [...verbs.values()].flatMap((entry) =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each form gets the fields and results of its verb
    (entry.cliForms as unknown as readonly Form[]).map((form) => commandOf(entry, form)),
  );
}

function commandOf(entry: VerbEntry, form: Form): CliCommand {
  const switches = form.switches?.map(({ name, says }) => ({ name, says })) ?? [];
  const options = [...withValue(form), ...switches];
  return {
    ...namedBy(form.usage),
    says: form.says,
    options: form.table === undefined ? options : [...options, ...optionsOf(LIST_OPTIONS)],
    run: (call) => (form.table === undefined ? run(entry, form, call) : list(entry, form, call)),
  };
}

function withValue({ options = {} }: Form): readonly Option[] {
  return Object.values(options).filter((option) => option !== undefined);
}

async function run(entry: VerbEntry, form: Form, call: Call): Promise<Answer> {
  const { shows, words = [], switches = [] } = form;
  const [chosen, ...others] = switches.filter(({ name }) => call.flag(name));
  if (others.length > 0) return wrongUse(form, `Give one of ${switches.map(({ name }) => `--${name}`).join(", ")}.`);
  const isShort = call.args.length < words.length;
  const isPlain = withValue(form).every(({ name }) => call.option(name) === null);
  if (chosen?.alone === true) {
    if (!isShort || !isPlain) return wrongUse(form, `--${chosen.name} takes nothing else.`);
  } else if (shows !== undefined && isShort) {
    if (!isPlain || chosen !== undefined) return wrongUse(form, "There is nothing to set.");
    const shown = verbs.get(shows);
    if (shown === undefined) throw new Error(`No verb ${shows}.`);
    return send(shown, { ...form, given: {} }, call, true);
  }
  return send(entry, { ...form, given: { ...form.given, ...chosen?.given } }, call);
}

/** `isShown`: adds the fields of the command to its result, as described at `shows` in verb.ts. */
async function send(entry: VerbEntry, form: Form, call: Call, isShown = false): Promise<Answer> {
  const asked = askedBy(entry, form, call);
  if ("ok" in asked) return asked;
  const answer = await call.guard.ask<Verb>(asked);
  if (!answer.ok) return answer;
  const { verb: _, ...fields } = asked;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as in derivedCommands
  const result = { ...(isShown && fields), ...answer.result } as unknown as CountedPage<unknown>;
  const next = typeof form.next === "function" ? form.next(result) : form.next;
  return done(form.json?.(result) ?? result, form.done?.(result, asked, call.now()) ?? "", withProgram(next));
}

async function list(entry: VerbEntry, form: Form, call: Call): Promise<Answer> {
  const { things = "", most, member = "items", head = [], row = () => [], none = "", first, next } = form.table ?? {};
  const page = pageFrom(call, things);
  if ("ok" in page) return page;
  const asked = askedBy(entry, form, call);
  if ("ok" in asked) return asked;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as in derivedCommands
  const ask = (some: PageRequest) => call.guard.ask<"alias_list">({ ...asked, ...some } as AnyList);
  const answer = await gather(page, ask, most);
  if (!answer.ok) return answer;
  const { items, ...rest } = answer.result;
  const json = { [member]: items, ...rest };
  if (items.length === 0) return done(json, emptyText(none, page), withProgram(first));
  const more = andMore({ ...answer.result, shown: items.length }, page.cursor);
  return done(json, columns([head, ...items.map(row)]) + more, withProgram(next));
}

const QUOTED_CHARACTERS = 80;

/** Stands for any list: all have the same fields and results, except for their items. */
type AnyList = Extract<Command, { readonly verb: "alias_list" }>;

function askedBy({ verb, schema, fields }: VerbEntry, form: Form, { args, option }: Call) {
  const typed = [
    ...(form.words ?? []).map((field, place) => [field, args[place]] as const),
    ...Object.entries(form.options ?? {}).map(([field, named]) => [field, option(named?.name ?? "")] as const),
  ].filter((given): given is readonly [string, string] => typeof given[1] === "string");
  const shape: Readonly<Record<string, $ZodType>> = fields;
  const read = typed.map(([field, text]) => [field, shape[field] instanceof $ZodArray ? listOf(text) : text] as const);
  const asked: Fields = { verb, ...Object.fromEntries(read), ...form.given };
  const parsed = schema().safeParse(asked, { jitless: true });
  return parsed.success ? parsed.data : wrongUse(form, faultOf(asked, parsed.error.issues[0]));
}

/**
 * Why the guard would refuse the command, if the reason is a value that was typed. Otherwise null, because another wrong value is not
 * the caller's mistake, and may be secret.
 */
export function wrongWord(command: Fields & Readonly<{ verb: string }>, typed: ReadonlySet<unknown>): string | null {
  const issues = verbs.get(command.verb)?.schema().safeParse(command, { jitless: true }).error?.issues ?? [];
  const issue = issues.find(({ path }) => valuesAt(command, path).every((value) => typed.has(value)));
  return issue === undefined ? null : faultOf(command, issue);
}

/** The error message, which quotes the wrong value. */
function faultOf(command: object, issue: Pick<$ZodIssue, "path" | "message"> | undefined): string {
  const texts = valuesAt(command, issue?.path ?? []).filter((value) => typeof value === "string");
  return `"${printable(texts.join(" "), QUOTED_CHARACTERS)}" ${issue?.message ?? "is wrong"}.`;
}

/** The value at a path, or all values of a list. */
function valuesAt(command: object, path: readonly PropertyKey[]): readonly unknown[] {
  const value = path.reduce<unknown>(
    (at, step) => (isObject(at) || Array.isArray(at) ? Reflect.get(at, step) : at),
    command,
  );
  return [value].flat();
}

function wrongUse({ usage }: Form, message: string): Failure {
  return wrongUsage(message, `See \`${PROGRAM} help ${namedBy(usage).name}\`.`);
}

function withProgram(next: string | undefined): string | undefined {
  return next === undefined ? next : `${PROGRAM} ${next}`;
}
