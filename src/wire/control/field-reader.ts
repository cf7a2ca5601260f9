import { printable } from "../../core/text.ts";

/**
 * Reads the fields of a JSON object by exact type and bound. The first problem is kept, and what is read after it
 * are blanks: ask `problem` before using anything. A field that nobody read is a problem too.
 */
export class FieldReader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #read = new Set<string>();
  #problem: string | null = null;

  constructor(json: Readonly<Record<string, unknown>>) {
    // A map, so that no name reaches what objects inherit.
    this.#fields = new Map(Object.entries(json));
  }

  text(name: string, maxLength: number): string {
    const value = this.#take(name);
    if (typeof value === "string" && value.length <= maxLength) return value;
    this.#blame(name, `a text of at most ${maxLength} characters`);
    return "";
  }

  textOrNull(name: string, maxLength: number): string | null {
    return this.#fields.get(name) === null ? this.#null(name) : this.text(name, maxLength);
  }

  texts(name: string, maxCount: number, maxLength: number): readonly string[] {
    const value = this.#take(name);
    if (Array.isArray(value) && value.length <= maxCount) {
      const texts = value.filter((each): each is string => typeof each === "string" && each.length <= maxLength);
      if (texts.length === value.length) return texts;
    }
    this.#blame(name, `a list of at most ${maxCount} texts of at most ${maxLength} characters`);
    return [];
  }

  wholeNumber(name: string, least: number, most: number): number {
    const value = this.#take(name);
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    this.#blame(name, `a whole number from ${least} to ${most}`);
    return least;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value === "boolean") return value;
    this.#blame(name, "true or false");
    return false;
  }

  object(name: string): Readonly<Record<string, unknown>> {
    const value = this.#take(name);
    if (isObject(value)) return value;
    this.#blame(name, "an object");
    return {};
  }

  /** A list of objects, each read by `read`. */
  objects<T>(name: string, maxCount: number, read: (fields: FieldReader) => T): readonly T[] {
    const value = this.#take(name);
    const objects = Array.isArray(value) && value.length <= maxCount ? value.filter(isObject) : null;
    if (objects === null || !Array.isArray(value) || objects.length < value.length) {
      this.#blame(name, `a list of at most ${maxCount} objects`);
      return [];
    }
    return objects.map((each) => {
      const fields = new FieldReader(each);
      const item = read(fields);
      this.#problem ??= fields.problem();
      return item;
    });
  }

  /** One sentence, or null if every field was there, right, and expected. */
  problem(): string | null {
    if (this.#problem !== null) return this.#problem;
    for (const name of this.#fields.keys())
      if (!this.#read.has(name)) return `There is no field "${printable(name, 40)}" here.`;
    return null;
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#fields.get(name);
  }

  #null(name: string): null {
    this.#read.add(name);
    return null;
  }

  #blame(name: string, expected: string): void {
    this.#problem ??= `The field "${name}" must be ${expected}.`;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
