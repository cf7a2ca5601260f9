/** A value with its canonical text in TOML; or the requirement, and the part that violates it. */
export type Read<T> =
  | Readonly<{ ok: true; value: T; toml: string }>
  | Readonly<{ ok: false; must: string; got: unknown }>;

/** With what a page lets a setting be edited. `least` and `most` as in the file; null: no such bound. */
export type Form = Readonly<{
  type: "switch" | "number" | "decimal" | "duration" | "size" | "choice" | "text" | "list";
  least: string | null;
  most: string | null;
  /** The words of a choice. */
  choices: readonly string[];
  /** Of a list: of what. */
  of: Form["type"] | null;
}>;

/** What a setting accepts, and how it is read. */
export type Kind<T> = Readonly<{
  /** Completes "must be …". */
  accepts: string;
  form: Form;
  /** Reads a value as TOML gives it. */
  read: (written: unknown) => Read<T>;
  /** Turns the text of an environment variable into the value that TOML would have given. */
  fromText: (text: string) => unknown;
}>;

export function formOf(type: Form["type"], more: Partial<Form> = {}): Form {
  return { type, least: null, most: null, choices: [], of: null, ...more };
}

/** A kind that is written as a string, read without the blanks around it. */
export function text<T>(
  accepts: string,
  read: (written: string) => { value: T; toml: string } | null,
  form: Form = formOf("text"),
): Kind<T> {
  return {
    accepts,
    form,
    read: (written) => {
      const found = typeof written === "string" ? read(written.trim()) : null;
      return found === null ? wrong(accepts, written) : { ok: true, ...found };
    },
    fromText: (written) => written.trim(),
  };
}

export function wrong(accepts: string, got: unknown): Readonly<{ ok: false; must: string; got: unknown }> {
  return { ok: false, must: `must be ${accepts}`, got };
}

export function same<T extends string>(value: T | null): { value: T; toml: string } | null {
  return value === null ? null : { value, toml: quote(value) };
}

/** No text that a kind accepts contains a character that JSON and TOML write differently. */
export function quote(value: string): string {
  return JSON.stringify(value);
}
