import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";

/** The two documents that the project started from, word for word. */
type Document = "ghostinbox" | "investra";

/** Commands and settings of an original document: its code blocks without comments and blank lines. */
export class DocumentLines {
  readonly #document: Document;
  readonly #left: string[];
  readonly #all: number;

  constructor(document: Document) {
    this.#document = document;
    const text = readFileSync(join(CHECKOUT, "test", "documents", `${document}.md`), "utf8");
    const blocks = [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, block = ""]) => block);
    this.#left = blocks.flatMap((block) => block.split("\n").map((line) => line.trim())).filter(isTyped);
    this.#all = this.#left.length;
  }

  /** Takes the lines from the one that starts with this on, as printed. */
  take(start: string, count = 1): readonly string[] {
    const at = this.#left.findIndex((line) => line.startsWith(start));
    assert.notEqual(at, -1, `${this.#document}.md has no more line: ${start}`);
    return this.#left.splice(at, count);
  }

  /** Types the next line that starts with this. */
  async typed<T>(start: string, type: (line: string) => Promise<T>): Promise<T> {
    const [line = ""] = this.take(start);
    return type(line);
  }

  /** A line that differs here; the new page says why. */
  explained(start: string, page: string, says: RegExp): string {
    const [line = ""] = this.take(start);
    assert.match(readFileSync(join(CHECKOUT, "docs", page), "utf8").replaceAll("\n", " "), says);
    return line;
  }

  /** Prints how many were typed; fails unless these are all. */
  tell(): void {
    console.log(`docs of ${this.#document}: ${this.#all - this.#left.length} of ${this.#all} lines`);
    assert.deepEqual(this.#left, [], "lines that nothing has typed");
  }
}

function isTyped(line: string): boolean {
  return line !== "" && !/^(?:#|\/\/)/.test(line);
}
